import { isDeepStrictEqual } from 'node:util'
import type { ItemManifest, ItemState, Json, PoolManifest, PoolState } from '@kuji/engine/contract'

/** One rule, or one whole item, that a live pool and a manifest do not share. The side that lacks it is undefined. */
export interface Difference {
  readonly what: 'rule' | 'item'
  /** `fallback`, `items.diamond.weight`, or `items.diamond` for an item that only one side has. */
  readonly field: string
  readonly live: Json | undefined
  readonly wanted: Json | undefined
}

/** The rules in which they differ, in the order of the manifest; what was drawn is not a rule. */
export function findDifferences(manifest: PoolManifest, live: PoolState): Difference[] {
  const differences: Difference[] = []
  const compare = (field: string, present: Json | undefined, wanted: Json | undefined) => {
    if (!isDeepStrictEqual(present, wanted)) differences.push({ what: 'rule', field, live: present, wanted })
  }
  const { mode = 'weighted' } = manifest
  compare('mode', live.mode, mode)
  for (const name of ['fallback', 'lastOne', 'metadata'] as const) compare(name, live[name], manifest[name])
  const present = new Map(live.items.map(item => [item.id, item]))
  for (const item of manifest.items) {
    const field = `items.${item.id}`
    const other = present.get(item.id)
    present.delete(item.id)
    if (other === undefined) {
      differences.push({ what: 'item', field, live: undefined, wanted: rulesOf(item, mode) })
      continue
    }
    const [before, after] = [rulesOf(other, live.mode), rulesOf(item, mode)]
    for (const name of ['weight', 'stock', 'metadata'] as const)
      compare(`${field}.${name}`, before[name], after[name])
  }
  for (const [id, item] of present)
    differences.push({
      what: 'item',
      field: `items.${id}`,
      live: rulesOf(item, live.mode),
      wanted: undefined,
    })
  return differences
}

type ItemRules = { readonly [Name in 'weight' | 'stock' | 'metadata']?: Json }

/** What is declared of an item: an urn has no weights, whatever its manifest says. */
function rulesOf({ weight, stock, metadata }: ItemManifest | ItemState, mode: string): ItemRules {
  return {
    ...(weight === undefined || mode === 'urn' ? {} : { weight }),
    stock,
    ...(metadata === undefined ? {} : { metadata }),
  }
}
