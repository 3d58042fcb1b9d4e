/** An answer has what it has to have, of the right type: each throws for what is not so. */

export type Fields = Readonly<Record<string, unknown>>

export function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unlike('an object', value)
  return value as Fields
}

export function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw unlike('a list', value)
  return value
}

export function textOf(value: unknown): string {
  if (typeof value !== 'string') throw unlike('a text', value)
  return value
}

export function wholeOf(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw unlike('a whole number', value)
  return value as number
}

export function flagOf(value: unknown): boolean {
  if (typeof value !== 'boolean') throw unlike('true or false', value)
  return value
}

export function wordOf<T extends string>(value: unknown, words: readonly T[]): T {
  const word = words.find(each => each === value)
  if (word === undefined) throw unlike(words.join(' or '), value)
  return word
}

function unlike(expected: string, value: unknown): Error {
  return new Error(`expected ${expected}, not ${JSON.stringify(value)?.slice(0, 200)}`)
}
