import type { Code, ErrorFields, ItemUpdate } from '../contract/index.ts'
import { KujiError, limits } from '../contract/index.ts'
import type { AppendFailure } from '../log/log.ts'
import { invalid } from '../pool/check.ts'
import type { Rules } from '../pool/manifest.ts'
import { checkWeightSum } from '../pool/manifest.ts'
import type { Pool } from '../pool/pool.ts'
import { drawnById } from '../pool/pool.ts'
import type { ItemChange, LoggedRequest } from '../pool/state.ts'
import { countDecimals, rescaleFactor, scaleWeight } from '../pool/weight.ts'

/** How many of `count` draws the pool gives, or its refusal. */
export function grantDraws(pool: Pool, count: number, partial: boolean): number | KujiError {
  if (pool.status !== 'open') {
    if (pool.status === 'closed') return poolClosed(pool)
    return refuse('POOL_PAUSED', `pool "${pool.id}" is paused`, { pool: pool.id })
  }
  if (count <= pool.left) return count
  if (pool.left === 0) return refuse('POOL_EMPTY', `nothing is left in pool "${pool.id}"`, { pool: pool.id })
  if (partial) return pool.left
  const fields = { pool: pool.id, requested: count, remaining: pool.left }
  return refuse(
    'INSUFFICIENT_STOCK',
    `pool "${pool.id}" holds ${pool.left} units, ${count} were asked for`,
    fields,
  )
}

/** Whether a new manifest leaves an item less stock than was drawn of it. */
export function findShortage(pool: Pool, rules: Rules): KujiError | null {
  const drawn = drawnById(pool)
  for (let i = 0; i < rules.itemIds.length; i++) {
    const id = rules.itemIds[i]!
    const taken = drawn.get(id) ?? 0
    if (rules.stock[i]! < taken) {
      return invalid(
        `items[${i}].stock`,
        `${rules.stock[i]} is less than the ${taken} of "${id}" already drawn`,
      )
    }
    drawn.delete(id)
  }
  if (drawn.size + rules.itemIds.length <= limits.items) return null
  return refuse('TOO_LARGE', `at most ${limits.items} items, those that earlier versions had included`)
}

export function decideItemChange(pool: Pool, item: number, update: ItemUpdate): ItemChange | KujiError {
  const restock = update.restock ?? 0
  if (restock > 0) {
    if (pool.stock[item] === Number.POSITIVE_INFINITY) return invalid('restock', 'the item is unlimited')
    if (pool.stockSum + restock > limits.stock)
      return invalid('restock', `expected at most ${limits.stock} units of stock in all`)
  }
  if (update.weight === undefined) return { item, restock, weight: -1, decimals: pool.decimals }
  if (pool.mode === 'urn') return invalid('weight', 'an urn has no weights')
  if (update.weight === 0 && item !== pool.fallback) return invalid('weight', 'expected a number above 0')
  const decimals = Math.max(pool.decimals, countDecimals(update.weight))
  const factor = rescaleFactor(pool.decimals, decimals)
  const weight = scaleWeight(update.weight, decimals)
  try {
    checkWeightSum((pool.weightSum - pool.weights[item]!) * factor + weight, decimals)
  } catch (error) {
    return error as KujiError
  }
  return { item, restock, weight, decimals }
}

/** Why a change that was made for one version of a pool does not apply to it as it is. */
export function findConflict(id: string, pool: Pool | undefined, ifVersion: number): KujiError | null {
  const version = pool?.version ?? 0
  if (ifVersion < 0 || version === ifVersion) return null
  const is = pool === undefined ? `there is no pool "${id}"` : `pool "${id}" has version ${version}`
  const meant = ifVersion === 0 ? 'a pool that does not exist' : `version ${ifVersion}`
  return refuse('VERSION_CONFLICT', `${is}, the change was made for ${meant}`, { pool: id, version })
}

export function poolNotFound(id: string): KujiError {
  return refuse('POOL_NOT_FOUND', `there is no pool "${id}"`, { pool: id })
}

export function poolClosed(pool: Pool): KujiError {
  return refuse('POOL_CLOSED', `pool "${pool.id}" is closed`, { pool: pool.id })
}

/** A refusal is an everyday answer: it carries no stack, which would name our loop and cost more than a draw. */
export function refuse(code: Code, message: string, fields: ErrorFields = {}): KujiError {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return new KujiError(code, message, fields)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** What a failed append means to those who had a part in the batch. */
export function failureOf({ outcome, cause }: AppendFailure, lsn: number): KujiError {
  const why = cause instanceof Error ? cause.message : String(cause)
  const fields = { lsn, cause: why }
  if (outcome === 'unknown')
    return new KujiError('OUTCOME_UNKNOWN', `a write to the log failed: ${why}`, fields, { cause })
  return new KujiError('INTERNAL', `another writer has taken over this log: ${why}`, fields, { cause })
}

/**
 * For requests that came behind a failed write: they were certainly not carried out. One with a key may be the retry of
 * one that was in that write, and means both: nobody may conclude from its answer that its key has drawn nothing.
 */
export function stopped(failure: KujiError, named: LoggedRequest | undefined): KujiError {
  const { code, message, fields } = failure
  if (code !== 'OUTCOME_UNKNOWN' || named === undefined || named.key === '')
    return refuse('INTERNAL', `this kuji has stopped, and nothing was changed: ${message}`)
  const what =
    'it is not known whether an earlier try was carried out: ask again with the same key after a restart'
  return refuse('OUTCOME_UNKNOWN', `this kuji has stopped, and ${what} (${message})`, fields)
}
