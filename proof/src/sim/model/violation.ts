/** Something that kuji must never do, and did. */
export class Violation extends Error {
  /**
   * Which rule is broken, and which look at it has told: the same name whatever the seed, so without numbers. A run
   * that is made smaller has to break the same one.
   */
  readonly kind: string

  constructor(kind: string, message: string) {
    super(message)
    this.kind = kind
  }
}

/** In how many places two values are told to differ; the others are counted. */
const placesTold = 4
const longestValue = 120

/** Tells, in a line, where two values of plain data differ: which field of what, what it is and what it should be. */
export function differences(found: unknown, expected: unknown): string {
  const told: string[] = []
  let more = 0
  for (const { path, has, wants } of differing(found, expected, '')) {
    if (told.length === placesTold) more++
    else told.push(`${path}${path === '' ? '' : ' is '}${show(has)}, expected ${show(wants)}`)
  }
  return told.join('; ') + (more === 0 ? '' : `; and ${more} more`)
}

interface Difference {
  readonly path: string
  readonly has: unknown
  readonly wants: unknown
}

function* differing(found: unknown, expected: unknown, path: string): Generator<Difference> {
  if (!isObject(found) || !isObject(expected) || Array.isArray(found) !== Array.isArray(expected)) {
    if (!Object.is(found, expected)) yield { path, has: found, wants: expected }
    return
  }
  if (Array.isArray(found) && found.length !== (expected as unknown as unknown[]).length)
    yield { path: join(path, 'length'), has: found.length, wants: expected.length }
  for (const key of new Set([...Object.keys(found), ...Object.keys(expected)]))
    if (!Array.isArray(found) || (key in found && key in expected))
      yield* differing(found[key], expected[key], placeOf(path, key, expected[key]))
}

/** Items and pools go by their own names. */
function placeOf(path: string, key: string, value: unknown): string {
  const id = isObject(value) ? value.id : undefined
  return /^\d+$/.test(key) ? `${path}[${typeof id === 'string' ? `"${id}"` : key}]` : join(path, key)
}

function join(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}…`
}
