import { createHash, randomBytes } from 'node:crypto'
import type { Scope } from './caller.ts'
import type { RequestLimit } from './token-bucket.ts'

/** Names of keys stand in the log, and need no quotes there. */
export const keyNamePattern = '^[A-Za-z0-9_][A-Za-z0-9._:@-]{0,63}$'
export const keyNameForm =
  'a name for the log: 1 to 64 letters, digits, ".", "_", "-", ":" or "@", the first a letter, a digit or "_"'

/** A key as the configuration has it: without the key itself. */
export interface ApiKey {
  readonly name: string
  /** As `hashKey` writes it; `hash`es and `name`s are unique. */
  readonly hash: string
  readonly scopes: ReadonlySet<Scope>
  readonly limit?: RequestLimit
}

/** 256 random bits, in letters that need no quotes in a shell, a header or a URL. */
export function createKey(): string {
  return `kuji_${randomBytes(32).toString('base64url')}`
}

/**
 * What is kept of a key. A slow hash with a salt makes guessing expensive where people choose what is guessed. Here it
 * is one of 2^256 random keys: no speed of guessing finds it, and no table holds it.
 */
export function hashKey(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex')}`
}
