import type { Chance } from '../../chance.ts'
import { interestingNumbers, mutateBytes, words } from './bytes.ts'

type Json = unknown

const names = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'length',
  'id',
  'items',
  'stock',
  'weight',
]
const moreNames = [
  'metadata',
  'fallback',
  'lastOne',
  'mode',
  'count',
  'recipient',
  'partial',
  '',
  '0',
  '-1',
  '~1',
  '/',
]

export const jsonDictionary = words(
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '""',
    'null',
    'true',
    'false',
    '-',
    '0',
    '1e400',
    '{}',
    '[]',
    '[[]]',
  ],
  ...[
    '"__proto__":',
    '"items":',
    '"stock":"unlimited"',
    '"weight":',
    '"id":"a"',
    '\\u0000',
    '\\ud800',
    '\\"',
  ],
  ...[
    '"mode":"urn"',
    '"lastOne":"a"',
    '"fallback":"a"',
    '"metadata":{}',
    ' ',
    '\n',
    '\xef\xbb\xbf',
    '\xff',
    '\xc0\x80',
  ],
)

const texts = [
  '',
  'a',
  'unlimited',
  'urn',
  'weighted',
  '\0',
  '\ud800',
  '\u2028',
  'é',
  '日本',
  '😀',
  '__proto__',
  '../x',
]

function anyValue(chance: Chance): Json {
  switch (chance.below(7)) {
    case 0:
      return chance.pick([null, true, false, {}, [], [[]], { a: 1 }, { id: 'b', stock: 1, weight: 1 }])
    case 1:
      return chance.pick(texts)
    case 2:
      return chance.pick(texts).repeat(chance.pick([2, 128, 129, 255, 256, 4096]))
    case 3:
      return -chance.pick(interestingNumbers)
    case 4:
      return chance.pick([0.1, 1e-9, 1e-10, 0.5, 1.5, 1e21, 1e300, Number.MIN_VALUE, -0, 0.30000000000000004])
    default:
      return chance.pick(interestingNumbers)
  }
}

/** A value with one thing changed, somewhere inside. */
function mutateValue(value: Json, chance: Chance, depth = 0): Json {
  if (typeof value !== 'object' || value === null || chance.happens(0.1))
    return nest(anyValue(chance), chance)
  const entries: [string, Json][] = Object.entries(value)
  const at = chance.below(entries.length + 1)
  const entry = entries[at]
  const name = chance.pick([...names, ...moreNames])
  const way = chance.below(9)
  if (entry === undefined || way === 0) entries.splice(at, 0, [name, anyValue(chance)])
  else if (way === 1) entries.splice(at, 1)
  else if (way === 2) entries.splice(at, 1, [name, entry[1]])
  else if (way === 8)
    entries.unshift(...Array.from({ length: 90 }, (_, k): [string, Json] => [`field-${k}`, k]))
  else if (way === 3) entries.splice(chance.below(entries.length), 0, entry)
  else entries.splice(at, 1, [entry[0], depth > 40 ? 0 : mutateValue(entry[1], chance, depth + 1)])
  if (Array.isArray(value)) return entries.map(([, inner]) => inner)
  // A field named __proto__ is one like any other.
  return Object.fromEntries(entries)
}

function nest(value: Json, chance: Chance): Json {
  if (chance.happens(0.9)) return value
  let nested = value
  for (let left = Math.floor(chance.spread(1, 30)); left > 0; left--)
    nested = chance.happens(0.5) ? [nested] : { a: nested }
  return nested
}

/** Mutates a text of JSON: what it says, or, where it is none, its bytes. */
export function mutateJson(text: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  if (chance.happens(0.7)) {
    try {
      let value = JSON.parse(Buffer.from(text).toString()) as Json
      do value = mutateValue(value, chance)
      while (chance.happens(0.3))
      return Buffer.from(JSON.stringify(value) ?? 'null')
    } catch {
      // Bytes, then.
    }
  }
  return mutateBytes(text, other, chance, jsonDictionary)
}
