import type { Mode } from '../contract/index.ts'
import { KujiError, limits } from '../contract/index.ts'
import { checkFields, checkId, checkMetadata, checkWhole, invalid } from './check.ts'
import { checkWeight, countDecimals, scaleWeight } from './weight.ts'

/** A manifest after its checks, in the columns that the state, the log and the samplers use. */
export interface Rules {
  readonly id: string
  readonly mode: Mode
  readonly itemIds: readonly string[]
  /** Whole units of 10^-decimals; 0 for items that are not chosen by weight. */
  readonly weights: Float64Array
  readonly decimals: number
  /** Units in all; `Infinity` for unlimited, so that arithmetic on stock needs no branch. */
  readonly stock: Float64Array
  /** Item index, or -1. */
  readonly fallback: number
  readonly lastOne: number
  /** JSON text, '' for none. */
  readonly metadata: string
  /** JSON text by item, or null when no item has any. */
  readonly itemMetadata: string[] | null
}

const manifestFields = new Set(['id', 'mode', 'items', 'fallback', 'lastOne', 'metadata'])
const itemFields = new Set(['id', 'weight', 'stock', 'metadata'])

/** Checks a manifest of any origin. Throws `INVALID` or `TOO_LARGE`, naming the field. */
export function parseManifest(value: unknown): Rules {
  const manifest = checkFields(value, 'manifest', manifestFields)
  const id = checkId(manifest.id, 'id')
  const { mode = 'weighted' } = manifest
  if (mode !== 'weighted' && mode !== 'urn') throw invalid('mode', 'expected "weighted" or "urn"')
  const items = manifest.items
  if (!Array.isArray(items) || items.length === 0) throw invalid('items', 'expected at least one item')
  if (items.length > limits.items) {
    throw new KujiError('TOO_LARGE', `items: ${items.length}, at most ${limits.items}`, { field: 'items' })
  }
  const columns = readItems(items)
  const fallback = findNamed(manifest.fallback, 'fallback', columns)
  const lastOne = findNamed(manifest.lastOne, 'lastOne', columns)
  if (fallback >= 0 && mode === 'urn') throw invalid('fallback', 'only a weighted pool has a fallback')
  if (lastOne >= 0 && mode === 'weighted') throw invalid('lastOne', 'only an urn has a last ticket')
  const { weights, decimals } = mode === 'urn' ? urnWeights(columns, lastOne) : poolWeights(columns, fallback)
  checkStockSum(columns)
  const metadata = checkMetadata(manifest.metadata, 'metadata')
  const { itemIds, stock, itemMetadata } = columns
  // Bulk receipts hand this very array out.
  Object.freeze(itemIds)
  const rules: Rules = {
    id,
    mode,
    itemIds,
    weights,
    decimals,
    stock,
    fallback,
    lastOne,
    metadata,
    itemMetadata,
  }
  checkSize(rules)
  return rules
}

interface Columns {
  readonly itemIds: string[]
  readonly index: ReadonlyMap<string, number>
  /** As declared; NaN where absent. */
  readonly declared: Float64Array
  readonly stock: Float64Array
  readonly itemMetadata: string[] | null
}

function readItems(items: readonly unknown[]): Columns {
  const itemIds: string[] = []
  const index = new Map<string, number>()
  const declared = new Float64Array(items.length).fill(Number.NaN)
  const stock = new Float64Array(items.length)
  let itemMetadata: string[] | null = null
  for (let i = 0; i < items.length; i++) {
    const field = `items[${i}]`
    const item = checkFields(items[i], field, itemFields)
    const id = checkId(item.id, `${field}.id`)
    if (index.has(id)) throw invalid(`${field}.id`, `the item "${id}" stands twice`)
    index.set(id, i)
    itemIds.push(id)
    if (item.weight !== undefined) declared[i] = checkWeight(item.weight, `${field}.weight`)
    stock[i] = checkStock(item.stock, `${field}.stock`)
    const metadata = checkMetadata(item.metadata, `${field}.metadata`)
    if (metadata !== '') itemMetadata ??= new Array<string>(items.length).fill('')
    if (itemMetadata !== null) itemMetadata[i] = metadata
  }
  return { itemIds, index, declared, stock, itemMetadata }
}

function checkStock(value: unknown, field: string): number {
  if (value === 'unlimited') return Number.POSITIVE_INFINITY
  if (typeof value === 'number') return checkWhole(value, field, 0, limits.stock)
  throw invalid(field, 'expected a whole number or "unlimited"')
}

function findNamed(value: unknown, field: string, columns: Columns): number {
  if (value === undefined) return -1
  const found = typeof value === 'string' ? columns.index.get(value) : undefined
  if (found === undefined) throw invalid(field, 'expected the id of an item of this pool')
  return found
}

function urnWeights(columns: Columns, lastOne: number): { weights: Float64Array; decimals: number } {
  const { declared, stock } = columns
  if (stock.length === 1 && lastOne === 0) throw invalid('items', 'an urn needs an item besides its lastOne')
  for (let i = 0; i < stock.length; i++) {
    if (i !== lastOne && stock[i] === Number.POSITIVE_INFINITY) {
      throw invalid(`items[${i}].stock`, 'an urn holds a whole number of tickets')
    }
    // A weight of 1 says what an urn does anyway; any other one would be quietly ignored.
    if (!Number.isNaN(declared[i]!) && declared[i] !== 1) {
      throw invalid(
        `items[${i}].weight`,
        'an urn has no weights: the chance is tickets left / all tickets left',
      )
    }
  }
  return { weights: new Float64Array(stock.length), decimals: 0 }
}

function poolWeights(columns: Columns, fallback: number): { weights: Float64Array; decimals: number } {
  const { declared } = columns
  let decimals = 0
  for (let i = 0; i < declared.length; i++) {
    const weight = declared[i]!
    if (Number.isNaN(weight)) throw invalid(`items[${i}].weight`, 'expected a number above 0')
    if (weight === 0 && i !== fallback) {
      throw invalid(
        `items[${i}].weight`,
        'expected a number above 0: an item that is never drawn does not belong here',
      )
    }
    decimals = Math.max(decimals, countDecimals(weight))
  }
  const weights = declared.map(weight => scaleWeight(weight, decimals))
  let sum = 0
  for (let i = 0; i < weights.length; i++) sum += weights[i]!
  checkWeightSum(sum, decimals)
  return { weights, decimals }
}

/** Throws `INVALID` where a sum of weights, in units of 10^-decimals, is too large to be exact, or is none. */
export function checkWeightSum(sum: number, decimals: number): void {
  if (sum > limits.weightSum) {
    throw invalid(
      'items',
      `weights cannot be exact: their sum in units of 1e-${decimals} is over ${limits.weightSum}`,
    )
  }
  if (sum === 0) throw invalid('items', 'expected an item with a weight above 0')
}

function checkStockSum(columns: Columns): void {
  let sum = 0
  for (const stock of columns.stock) if (stock !== Number.POSITIVE_INFINITY) sum += stock
  if (sum > limits.stock) throw invalid('items', `expected at most ${limits.stock} units of stock in all`)
}

function checkSize(rules: Rules): void {
  // A bound on what record/rules.ts writes: a length and the bytes for each text, at most 8 bytes for each number.
  let bytes = 256 + rules.metadata.length * 3
  for (const id of rules.itemIds) bytes += id.length + 18
  if (rules.itemMetadata !== null) for (const text of rules.itemMetadata) bytes += 2 + text.length * 3
  if (bytes > limits.manifestBytes) {
    throw new KujiError(
      'TOO_LARGE',
      `the manifest takes about ${bytes} bytes, at most ${limits.manifestBytes}`,
    )
  }
}
