import type { Chance } from '../../chance.ts'

/** Words that a format is made of. */
export type Dictionary = readonly Uint8Array[]

/** Texts as bytes, one for each character up to U+00FF. */
export function words(...texts: readonly string[]): Dictionary {
  return texts.map(text => Buffer.from(text, 'latin1'))
}

/** Numbers at which something may change: around powers of two, of ten, and the bounds of kinds of numbers. */
export const interestingNumbers = [
  ...[0, 1, 2, 3, 4, 7, 8, 9, 10, 15, 16, 17, 31, 32, 63, 64, 65, 72, 80, 100, 127, 128, 129, 255, 256, 257],
  ...[1000, 4095, 4096, 4097, 10_000, 10_001, 16_383, 16_384, 16_385, 32_767, 32_768, 65_535, 65_536, 65_537],
  ...[1_000_000, 1_048_575, 1_048_576, 83_886_080, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32],
  ...[2 ** 43 - 1, 2 ** 43, 2 ** 50, 2 ** 50 + 1, 2 ** 53 - 1, 2 ** 53],
]

/** Numbers as texts, those that are none included. */
const interestingTexts = [
  ...interestingNumbers.map(String),
  ...['-1', '-0', '+1', '01', '00', '1.0', '1e3', '1e309', '-1e-400', '0x1', '.5', '5.', 'NaN', 'Infinity'],
  ...['1_0', ' 1', '9'.repeat(20), '9'.repeat(400), '18446744073709551615', '0.1', '0.0000000001'],
]

/** Changes an input a few times, at random places, in ways that break readers. */
export function mutateBytes(
  input: Uint8Array,
  other: Uint8Array,
  chance: Chance,
  dictionary: Dictionary = [],
): Uint8Array {
  let bytes = input
  do {
    bytes = chance.pick(ways)(bytes, other, chance, dictionary)
  } while (chance.happens(0.55))
  return bytes
}

type Way = (bytes: Uint8Array, other: Uint8Array, chance: Chance, dictionary: Dictionary) => Uint8Array

/** Bytes with a range of them replaced. */
export function splice(bytes: Uint8Array, from: number, to: number, put: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - (to - from) + put.length)
  result.set(bytes.subarray(0, from))
  result.set(put, from)
  result.set(bytes.subarray(to), from + put.length)
  return result
}

/** A range inside, short more often than long. */
function rangeIn(bytes: Uint8Array, chance: Chance): [from: number, to: number] {
  const from = chance.below(bytes.length + 1)
  const most = bytes.length - from
  return [from, from + Math.min(most, Math.floor(chance.spread(1, Math.max(1, most) + 1)))]
}

function changeOne(bytes: Uint8Array, chance: Chance, change: (byte: number) => number): Uint8Array {
  if (bytes.length === 0) return bytes
  const at = chance.below(bytes.length)
  return splice(bytes, at, at + 1, Uint8Array.of(change(bytes[at]!)))
}

const flipBit: Way = (bytes, _other, chance) =>
  changeOne(bytes, chance, byte => byte ^ (1 << chance.below(8)))

const setByte: Way = (bytes, _other, chance) =>
  changeOne(bytes, chance, byte =>
    chance.pick([0, 1, 0x7f, 0x80, 0xff, byte + 1, byte - 1, chance.below(256)]),
  )

const insert: Way = (bytes, _other, chance) => {
  const at = chance.below(bytes.length + 1)
  const count = chance.between(1, 8)
  return splice(
    bytes,
    at,
    at,
    Uint8Array.from({ length: count }, () => chance.below(256)),
  )
}

const remove: Way = (bytes, _other, chance) => splice(bytes, ...rangeIn(bytes, chance), new Uint8Array(0))

const putWord: Way = (bytes, _other, chance, dictionary) => {
  if (dictionary.length === 0) return bytes
  const [from, to] = rangeIn(bytes, chance)
  return splice(bytes, from, chance.happens(0.6) ? from : to, chance.pick(dictionary))
}

/** Once more, or very often: nested and repeated things come of it. */
const repeat: Way = (bytes, _other, chance) => {
  const [from, to] = rangeIn(bytes, chance)
  const times = chance.happens(0.9) ? 1 : Math.floor(chance.spread(2, 2000))
  const most = Math.max(0, Math.min(times, Math.floor(65_536 / Math.max(1, to - from))))
  return splice(bytes, to, to, Buffer.concat(Array.from({ length: most }, () => bytes.subarray(from, to))))
}

const takeFromOther: Way = (bytes, other, chance) => {
  const [from, to] = rangeIn(bytes, chance)
  return splice(bytes, from, chance.happens(0.5) ? from : to, other.subarray(...rangeIn(other, chance)))
}

/** The beginning of one with the end of the other. */
const cross: Way = (bytes, other, chance) =>
  Buffer.concat([
    bytes.subarray(0, chance.below(bytes.length + 1)),
    other.subarray(chance.below(other.length + 1)),
  ])

const cutOff: Way = (bytes, _other, chance) => bytes.subarray(0, chance.below(bytes.length + 1))

const moveRange: Way = (bytes, _other, chance) => {
  const [from, to] = rangeIn(bytes, chance)
  const without = splice(bytes, from, to, new Uint8Array(0))
  const at = chance.below(without.length + 1)
  return splice(without, at, at, bytes.subarray(from, to))
}

/** A number of 1, 2, 4 or 8 bytes. */
const setNumber: Way = (bytes, _other, chance) => {
  const width = chance.pick([1, 2, 4, 8])
  if (bytes.length < width) return bytes
  const copy = Buffer.from(bytes)
  const at = chance.below(bytes.length - width + 1)
  const value = BigInt(chance.pick(interestingNumbers))
  const wide = Buffer.alloc(8)
  wide.writeBigUInt64LE(value)
  const put = wide.subarray(0, width)
  copy.set(chance.happens(0.8) ? put : put.reverse(), at)
  return copy
}

/** A number written in digits. */
const setDigits: Way = (bytes, _other, chance) => {
  const text = Buffer.from(bytes).toString('latin1')
  const found = [...text.matchAll(/\d+/g)]
  if (found.length === 0) return bytes
  const { index, 0: digits } = chance.pick(found)
  const near = String(BigInt(digits) + BigInt(chance.between(-1, 1)))
  const put = chance.happens(0.3) ? near : chance.pick(interestingTexts)
  return splice(bytes, index, index + digits.length, Buffer.from(put))
}

const ways: readonly Way[] = [
  ...[flipBit, setByte, insert, remove, remove, putWord, putWord, repeat, takeFromOther, cross],
  ...[cutOff, moveRange, setNumber, setDigits],
]
