import type { PoolManifest } from '@kuji/engine'

/** Weighted items from `a 3 of 5` words: weight, then stock. */
export function weighted(text: string, more: Partial<PoolManifest> = {}): PoolManifest {
  const items = text.split(', ').map(part => {
    const [id, weight, , stock] = part.split(' ') as [string, string, string, string]
    return { id, weight: Number(weight), stock: stock === 'unlimited' ? stock : Number(stock) } as const
  })
  return { id: 'p', items, ...more }
}

export function urn(text: string, more: Partial<PoolManifest> = {}): PoolManifest {
  const items = text.split(', ').map(part => {
    const [id, stock] = part.split(' ') as [string, string]
    return { id, stock: Number(stock) }
  })
  return { id: 'p', mode: 'urn', items, ...more }
}
