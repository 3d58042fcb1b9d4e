import { type ChangeOptions, KujiError, limits } from '@kuji/engine/contract'

/** The entity tag of a pool's rules: their version. */
export function entityTag(version: number): string {
  return `"${version}"`
}

interface EntityTag {
  readonly weak: boolean
  readonly text: string
}

const anyTag = '*'

/** Reads the value of If-Match: `*`, or a list of tags. Throws `INVALID`. */
function parseTags(value: string): readonly EntityTag[] | typeof anyTag {
  if (value.trim() === anyTag) return anyTag
  const tags: EntityTag[] = []
  const next = /[ \t]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(,|$)/y
  while (next.lastIndex < value.length) {
    const [, weak, text = '', end] = next.exec(value) ?? []
    if (end === undefined) throw refuse('If-Match', 'expected * or tags in quotes, like "3"')
    tags.push({ weak: weak !== undefined, text })
    if (end === ',' && next.lastIndex === value.length)
      throw refuse('If-Match', 'expected a tag behind the comma')
  }
  if (tags.length === 0) throw refuse('If-Match', 'expected * or tags in quotes, like "3"')
  return tags
}

/** A change as it is made for the version that it rests on, if any. */
type Change<Result> = (options: ChangeOptions) => Promise<Result>

/** Headers with a condition on a change. */
interface Conditions {
  readonly 'if-match'?: string | undefined
  readonly 'if-none-match'?: string | undefined
}

/** A version that no pool comes to. Tags that name none are judged with it, in the order in which all else is. */
const noVersion = limits.safeInteger

/** How often the version may change under a condition that fits several. */
const maxAttempts = 8

/**
 * Makes a change under the conditions of its request: `If-Match` with versions, or `*` for any; `If-None-Match: *` for
 * a pool that is not there. Throws `VERSION_CONFLICT` where they do not hold (the table of codes has 409 for it, where
 * RFC 9110 has 412), and `INVALID` for conditions of another kind.
 */
export async function changeIf<Result>(conditions: Conditions, change: Change<Result>): Promise<Result> {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = conditions
  if (ifNoneMatch !== undefined) {
    if (ifMatch !== undefined) throw refuse('If-Match', 'expected no If-None-Match beside it')
    if (ifNoneMatch.trim() !== anyTag)
      throw refuse('If-None-Match', 'expected *, which creates a pool and changes none')
    return change({ ifVersion: 0 })
  }
  if (ifMatch === undefined) return change({})
  const tags = parseTags(ifMatch)
  if (tags === anyTag) return changeAny(change, 1, version => version > 0)
  // Strong comparison: a weak tag matches nothing, and neither does one that was never given out.
  const versions = new Set(
    tags.filter(({ weak, text }) => !weak && isVersion(text)).map(({ text }) => Number(text)),
  )
  const [first = noVersion] = versions
  return changeAny(change, first, version => versions.has(version)).catch(error => {
    throw first === noVersion ? withoutGuess(error, ifMatch) : error
  })
}

/**
 * The engine makes a change for one version. Where several fit, one is tried, and a conflict tells which one there is:
 * each attempt is all or nothing, so the change is made once, and for a version that fits.
 */
async function changeAny<Result>(
  change: Change<Result>,
  guess: number,
  fits: (version: number) => boolean,
): Promise<Result> {
  let version = guess
  for (let attempt = 1; ; attempt++) {
    try {
      return await change({ ifVersion: version })
    } catch (error) {
      if (!(error instanceof KujiError) || error.code !== 'VERSION_CONFLICT') throw error
      version = Number(error.fields.version)
      if (!fits(version) || attempt === maxAttempts) throw error
    }
  }
}

/** The same conflict, told without the version that nobody asked for. */
function withoutGuess(error: unknown, ifMatch: string): unknown {
  if (!(error instanceof KujiError) || error.code !== 'VERSION_CONFLICT') return error
  const { version } = error.fields
  const is = version === 0 ? 'there is no such pool' : `the pool has version ${version}`
  return new KujiError('VERSION_CONFLICT', `If-Match: ${is}, and not ${ifMatch}`, error.fields)
}

function isVersion(text: string): boolean {
  return /^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text))
}

function refuse(field: string, message: string): KujiError {
  return new KujiError('INVALID', `${field}: ${message}`, { field })
}
