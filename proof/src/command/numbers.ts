import { UsageError } from './command.ts'

/** A whole number of the command line; throws `UsageError` for any other text, and for one below `least`. */
export function readWhole(option: string, text: string, least = 1): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < least || !Number.isSafeInteger(number))
    throw new UsageError(`${option}: expected a whole number from ${least}`)
  return number
}

/** The first and the last of whole numbers from 1, as in 1..1000; throws `UsageError` for any other text. */
export function readRange(option: string, text: string): readonly [first: number, last: number] {
  const [, from = '', to = ''] = /^(\d+)\.\.(\d+)$/.exec(text) ?? []
  const [first, last] = [Number(from), Number(to)]
  if (from === '' || first < 1 || last < first || !Number.isSafeInteger(last))
    throw new UsageError(`${option}: expected A..B, as in 1..1000`)
  return [first, last]
}

/** Any number above 0; throws `UsageError` for any other text. */
export function readAboveZero(option: string, text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new UsageError(`${option}: expected a number above 0`)
  return number
}
