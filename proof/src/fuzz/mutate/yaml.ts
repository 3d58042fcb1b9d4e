import type { Chance } from '../../chance.ts'
import { mutateBytes, words } from './bytes.ts'
import { jsonDictionary, mutateJson } from './json.ts'

const dictionary = [
  ...jsonDictionary,
  ...words(
    ...[
      '&a ',
      '*a',
      '<<: *a\n',
      '<<: [*a, *a]\n',
      '? ',
      '- ',
      ': ',
      '|\n',
      '>-\n',
      '#',
      '---\n',
      '...\n',
      '\t',
      '\r\n',
    ],
    ...[
      '!!binary ',
      '!!set ',
      '!!omap ',
      '!!timestamp ',
      '!!float ',
      '!!map ',
      '!x ',
      '%YAML 1.1\n',
      '%TAG ! tag:x\n',
    ],
    ...[
      '~',
      '.inf',
      '.nan',
      '0o17',
      '0x1F',
      '1_000',
      'yes',
      '2001-12-14',
      '"\\x41"',
      "'it''s'",
      '[*a, *a, *a]',
      '{a}',
    ],
    ...[
      'pools:\n',
      '  - id: a\n',
      'items:\n',
      'apiKeys:\n',
      'idempotency:\n  retention: 1d\n',
      'tls:\n  cert: /\n',
    ],
    ...[
      'http: { listen: 127.0.0.1:0 }\n',
      'durability: none\n',
      'segmentBytes: 4096\n',
      'log: { level: info }\n',
    ],
    ...['listen: "[::1]:1"\n', 'scopes: [draw]\n', 'hash: sha256:\n'],
  ),
]

/** So many that whoever gathers what is wrong with each may stop before the end. */
function manyFields(line: string, chance: Chance): string[] {
  const indent = ' '.repeat(line.length - line.trimStart().length)
  return Array.from({ length: Math.floor(chance.spread(2, 300)) }, (_, k) => `${indent}field-${k}: ${k}`)
}

/** Lines, taken out, doubled, moved, and set further in or out: what structure is made of. */
function mutateLines(text: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  const lines = Buffer.from(text).toString('latin1').split('\n')
  const others = Buffer.from(other).toString('latin1').split('\n')
  do {
    const at = chance.below(lines.length)
    const line = lines[at] ?? ''
    const way = chance.below(7)
    if (way === 0) lines.splice(at, 1)
    else if (way === 1) lines.splice(chance.below(lines.length + 1), 0, line)
    else if (way === 2) lines[at] = ' '.repeat(chance.below(8)) + line.trimStart()
    else if (way === 3) lines.splice(at, 0, chance.pick(others))
    else if (way === 4) lines.splice(at, 0, ...lines.slice(at, at + chance.between(1, 6)))
    else if (way === 5) lines.splice(at, 0, ...manyFields(line, chance))
    else
      lines[at] = Buffer.from(mutateBytes(Buffer.from(line, 'latin1'), other, chance, dictionary)).toString(
        'latin1',
      )
  } while (chance.happens(0.4))
  return Buffer.from(lines.join('\n'), 'latin1')
}

/** JSON is YAML too. */
export function mutateYaml(text: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  if (text[0] === 0x7b && chance.happens(0.8)) return mutateJson(text, other, chance)
  return chance.happens(0.5) ? mutateLines(text, other, chance) : mutateBytes(text, other, chance, dictionary)
}
