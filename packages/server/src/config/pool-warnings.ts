import type { ItemManifest, PoolManifest } from '@kuji/engine/contract'
import { limits } from '@kuji/engine/contract'

/** Something that is permitted, and most likely not meant. */
export interface PoolWarning {
  readonly pool: string
  /** Where it is about one item. */
  readonly item?: string
  readonly message: string
}

/** What a second reader of the manifest would ask about. It has passed every check before. */
export function findPoolWarnings(manifest: PoolManifest): PoolWarning[] {
  const { id: pool, items, mode = 'weighted' } = manifest
  const ofItems = items.flatMap(item => {
    const message = (mode === 'urn' ? judgeTicket : judgeItem)(item, manifest)
    return message === undefined ? [] : [{ pool, item: item.id, message }]
  })
  const ofPool = mode === 'urn' ? judgeBox(manifest) : judgeWeights(manifest)
  return [...ofItems, ...ofPool.map(message => ({ pool, message }))]
}

const noStock = 'has no stock: it is never drawn until it is restocked'

function judgeItem(
  { id, stock, weight }: ItemManifest,
  { fallback, items }: PoolManifest,
): string | undefined {
  if (stock === 0) return noStock
  if (id !== fallback || weight !== 0) return undefined
  const canRunOut = items.some(other => other.id !== fallback && other.stock !== 'unlimited')
  return canRunOut ? undefined : 'has weight 0 and no other item can run out: it is never drawn'
}

function judgeTicket({ id, stock }: ItemManifest, { lastOne }: PoolManifest): string | undefined {
  if (stock === 0) return noStock
  if (id !== lastOne || stock === 1) return undefined
  const left = Number(stock) - 1
  return `is the last-one prize, of which one is given: ${left} of its stock of ${stock} are for a box refilled`
}

function judgeBox({ items, lastOne }: PoolManifest): string[] {
  const tickets = items.filter(({ id }) => id !== lastOne).reduce((sum, { stock }) => sum + Number(stock), 0)
  return tickets === 0 ? ['holds no ticket: every draw is refused'] : []
}

function judgeWeights(manifest: PoolManifest): string[] {
  const { items, fallback } = manifest
  const warnings: string[] = []
  if (items.every(({ stock }) => stock === 0)) warnings.push('holds nothing: every draw is refused')
  const last = items.find(({ id }) => id === fallback)
  if (last !== undefined && last.stock !== 'unlimited')
    warnings.push(`its fallback "${last.id}" can run out itself; the odds of the others then change`)
  const sum = describeOddSum(items)
  return sum === undefined ? warnings : [...warnings, sum]
}

/** Sums that weights are commonly written to add up to, so that each reads as its own odds. */
const roundSums = [1n, 100n, 1_000n, 10_000n, 100_000n, 1_000_000n]
const scale = 10n ** BigInt(limits.weightDecimals)

/** A sum that misses a round one by up to 2 %: somebody has counted in per cent, and miscounted. */
function describeOddSum(items: readonly ItemManifest[]): string | undefined {
  // Weights have as many decimals as this at most, so the products are whole and the sum is exact.
  const sum = items.reduce((total, { weight = 0 }) => total + BigInt(Math.round(weight * Number(scale))), 0n)
  for (const round of roundSums) {
    const target = round * scale
    const off = sum > target ? sum - target : target - sum
    if (off === 0n || off * 50n > target) continue
    const text = `${sum / scale}.${String(sum % scale).padStart(limits.weightDecimals, '0')}`.replace(
      /\.?0*$/,
      '',
    )
    return `its weights add up to ${text}: if they are meant as parts of ${round}, one of them is off`
  }
  return undefined
}
