import { KujiError } from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import { type ApiKey, hashKey } from './api-key.ts'
import type { Access, Caller, Scope } from './caller.ts'
import { type MonotonicClock, TokenBucket } from './token-bucket.ts'

/**
 * Callers by their API keys.
 *
 * A key is found by the hash of what was sent, in a map. How long that takes may tell something about the hash that
 * was looked for, which whoever sent the key could have computed, but nothing that leads to a key: to make use of the
 * first digits of a stored hash one would have to find a text that has them, and then the rest. Comparing with every
 * entry in constant time (`timingSafeEqual`) would hide no more, and a wrong key would cost as much as there are keys.
 *
 * Keys that were right are remembered as they were sent, so that a request costs a look-up and no hash. There are never
 * more of these than keys in the configuration; a wrong one leaves nothing behind.
 */
export class KeyAccess implements Access {
  readonly required = true
  readonly #byHash: ReadonlyMap<string, Caller>
  readonly #byKey = new Map<string, Caller>()

  constructor(apiKeys: readonly ApiKey[], now: MonotonicClock) {
    this.#byHash = new Map(apiKeys.map(apiKey => [apiKey.hash, new KeyHolder(apiKey, now)]))
  }

  authenticate(key: string | undefined): Caller {
    if (key === undefined || key === '') {
      throw new KujiError('UNAUTHENTICATED', 'this server answers only to those who give an API key')
    }
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const caller = key.length > serverLimits.presentedKeyLength ? undefined : this.#byHash.get(hashKey(key))
    if (caller === undefined) throw new KujiError('UNAUTHENTICATED', 'the API key is not known here')
    this.#byKey.set(key, caller)
    return caller
  }
}

/** One key's holder. Every connection with the key is the same one, and its limit counts for all of them together. */
class KeyHolder implements Caller {
  readonly name: string
  readonly scopes: ReadonlySet<Scope>
  readonly #bucket: TokenBucket | null

  constructor({ name, scopes, limit }: ApiKey, now: MonotonicClock) {
    this.name = name
    this.scopes = scopes
    this.#bucket = limit === undefined ? null : new TokenBucket(limit, now)
  }

  admit(requests: number): KujiError | null {
    const waitSeconds = this.#bucket === null ? 0 : this.#bucket.take(requests)
    if (waitSeconds === 0) return null
    const retryAfterSeconds = Math.ceil(waitSeconds)
    return new KujiError('LIMIT_REACHED', `the key "${this.name}" has used up its requests for now`, {
      retryAfterSeconds,
    })
  }
}
