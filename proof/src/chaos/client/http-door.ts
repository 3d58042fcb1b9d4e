import { codes } from '@kuji/engine/contract'
import type { DrawRequest, Outcome, Request } from '../../history/index.ts'
import { manifestOf } from '../manifest.ts'
import { readShown } from './answers.ts'
import type { Door } from './door.ts'
import { isOfConnection, LostAnswer, refusal } from './door.ts'
import { type Fields, fieldsOf, flagOf, listOf, textOf, wholeOf } from './shape.ts'

const actions = { open: 'resume', paused: 'pause', closed: 'close' } as const

/** HTTP by fetch, which keeps as many connections as there are requests at once. */
export class HttpDoor implements Door {
  /** Another connection is made by itself. */
  readonly isBroken = false
  readonly #url: string
  readonly #closed = new AbortController()

  constructor(url: string) {
    this.#url = url
  }

  async send(request: Request, patienceMs: number): Promise<Outcome> {
    const path = `/v1/pools/${request.pool}`
    switch (request.kind) {
      case 'draw':
        return readReceipt(
          await this.#ask(patienceMs, 'POST', `${path}/draws`, drawBody(request), keyOf(request)),
        )
      case 'put':
        return readChange(await this.#ask(patienceMs, 'PUT', path, manifestOf(request)))
      case 'restock':
      case 'reweigh': {
        const update = request.kind === 'restock' ? { restock: request.units } : { weight: request.weight }
        return readChange(await this.#ask(patienceMs, 'PATCH', `${path}/items/${request.item}`, update))
      }
      case 'status':
        return readChange(await this.#ask(patienceMs, 'POST', `${path}/${actions[request.status]}`))
      case 'read':
        return readShownPool(await this.#ask(patienceMs, 'GET', path))
    }
  }

  close(): void {
    this.#closed.abort()
  }

  async #ask(
    patienceMs: number,
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const { ok, status, text } = await this.#fetch(patienceMs, path, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const fields = fieldsOf(JSON.parse(text))
    if (ok) return { fields }
    const code = textOf(fields.code)
    const outcome = refusal(code)
    if (codes[code as keyof typeof codes].status !== status) throw new Error(`${code} with status ${status}`)
    return { outcome }
  }

  async #fetch(
    patienceMs: number,
    path: string,
    init: RequestInit,
  ): Promise<{ ok: boolean; status: number; text: string }> {
    const signal = AbortSignal.any([AbortSignal.timeout(patienceMs), this.#closed.signal])
    try {
      const response = await fetch(this.#url + path, { ...init, signal })
      const { ok, status } = response
      return { ok, status, text: await response.text() }
    } catch (error) {
      const how = lossOf(error as Error)
      throw how === null ? error : new LostAnswer(how, error)
    }
  }
}

/** What an answer holds, or the refusal that it is. */
type Answer = { readonly fields: Fields } | { readonly outcome: Outcome }

function lossOf({ name, cause }: Error): LostAnswer['how'] | null {
  if (name === 'TimeoutError') return 'timeout'
  // Whoever closes the door knows that there will be no answer.
  if (name === 'AbortError' || isOfConnection(cause)) return 'connection'
  // undici's name for a connection that the other side has ended.
  return (Object(cause) as NodeJS.ErrnoException).code === 'UND_ERR_SOCKET' ? 'connection' : null
}

function keyOf({ key }: DrawRequest): Record<string, string> {
  return key === undefined ? {} : { 'idempotency-key': `"${key}"` }
}

function drawBody({ count, partial, recipient }: DrawRequest): object {
  return {
    count,
    ...(partial === undefined ? {} : { partial }),
    ...(recipient === undefined ? {} : { recipient }),
  }
}

function readReceipt(answer: Answer): Outcome {
  if ('outcome' in answer) return answer.outcome
  const { id, items, version, at, replayed } = answer.fields
  return {
    kind: 'drawn',
    id: wholeOf(id),
    items: listOf(items).map(textOf),
    version: wholeOf(version),
    at: wholeOf(Date.parse(textOf(at))),
    replayed: flagOf(replayed),
  }
}

function readChange(answer: Answer): Outcome {
  if ('outcome' in answer) return answer.outcome
  const { version, changed } = answer.fields
  return {
    kind: 'changed',
    version: wholeOf(version),
    ...(changed === undefined ? {} : { changed: flagOf(changed) }),
  }
}

function readShownPool(answer: Answer): Outcome {
  return 'outcome' in answer ? answer.outcome : readShown(answer.fields, fieldsOf)
}
