import type { ApiKey } from '../access/api-key.ts'
import type { Fault } from '../schema/faults.ts'
import type { ConfigurationDocument } from './schema.ts'

/** The API keys of a configuration, and what is wrong with them beyond the form of each. */
export function readApiKeys(entries: NonNullable<ConfigurationDocument['apiKeys']>): {
  apiKeys: readonly ApiKey[]
  faults: readonly Fault[]
} {
  const faults: Fault[] = []
  const names = new Map<string, number>()
  const hashes = new Map<string, number>()
  const unique = (field: 'name' | 'hash', value: string, index: number, seen: Map<string, number>) => {
    const first = seen.get(value)
    seen.set(value, first ?? index)
    if (first === undefined) return
    const message = `stands twice; it is also that of apiKeys[${first}]`
    faults.push({ path: ['apiKeys', index, field], onKey: false, message })
  }
  const apiKeys = entries.map(({ name, hash, scopes, requestsPerSecond, burst }, index): ApiKey => {
    unique('name', name, index, names)
    unique('hash', hash, index, hashes)
    if (burst !== undefined && requestsPerSecond === undefined) {
      const message = 'a burst is one of a limit; add requestsPerSecond'
      faults.push({ path: ['apiKeys', index, 'burst'], onKey: false, message })
    }
    const limit = requestsPerSecond && { requestsPerSecond, burst: burst ?? requestsPerSecond }
    return { name, hash, scopes: new Set(scopes), ...(limit ? { limit } : {}) }
  })
  return { apiKeys, faults }
}
