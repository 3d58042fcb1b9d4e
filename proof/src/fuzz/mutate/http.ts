import type { Chance } from '../../chance.ts'
import { mutateBytes, words } from './bytes.ts'
import { mutateJson } from './json.ts'

const methods = ['POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'HEAD'] as const

export interface ParsedRequest {
  readonly method: (typeof methods)[number]
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

const dictionary = words(
  ...[
    '/v1/pools/summer/draws',
    '/v1/pools/box',
    '/v1/draws/',
    '/items/diamond',
    '?limit=',
    '&after=',
    '%00',
    '%2f',
  ],
  ...[
    '%',
    '%ff',
    '..',
    '//',
    '__proto__',
    'idempotency-key: "a"\n',
    'if-match: "1"\n',
    'if-none-match: *\n',
    'W/"1"',
  ],
  ...[
    'content-type: application/json; charset=utf-16\n',
    'content-type: text/plain\n',
    'origin: http://evil\n',
    '""',
  ],
  ...[
    'host: localhost\n',
    'content-length: 5\n',
    'transfer-encoding: chunked\n',
    'expect: 100-continue\n',
    '"',
    ',',
  ],
)

/** Where the head of the input ends and the body begins. */
function bodyStart(input: Uint8Array): number {
  const at = Buffer.from(input).indexOf('\n\n')
  return at < 0 ? input.length : at + 2
}

/**
 * An input is lines (method and path, headers), an empty line, and the body. Null where no HTTP parser would let it
 * through: that is Node's to refuse, and not looked at here.
 */
export function parseRequest(input: Uint8Array): ParsedRequest | null {
  const start = bodyStart(input)
  const [first = '', ...lines] = Buffer.from(input.subarray(0, start))
    .toString('latin1')
    .trimEnd()
    .split('\n')
  const [, name = '', path = ''] = /^([A-Z]+) (\/[!-~]*)$/.exec(first) ?? []
  const method = methods.find(known => known === name)
  if (method === undefined) return null
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const [, header, value] = /^([a-z][a-z-]*): ?([\t -~\x80-\xff]*)$/.exec(line) ?? []
    if (header === undefined || value === undefined) return null
    // The length and the coding are of the connection, which there is none of.
    if (header !== 'content-length' && header !== 'transfer-encoding') headers[header] = value.trim()
  }
  return { method, path, headers, body: input.subarray(start) }
}

/** Mostly the body, the head often enough. */
export function mutateHttp(input: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  const start = bodyStart(input)
  const [head, body] = [input.subarray(0, start), input.subarray(start)]
  if (chance.happens(0.35)) return Buffer.concat([mutateBytes(head, other, chance, dictionary), body])
  const otherBody = other.subarray(bodyStart(other))
  if (body.length === 0 || chance.happens(0.05)) return Buffer.concat([head, otherBody])
  return Buffer.concat([head, mutateJson(body, otherBody, chance)])
}
