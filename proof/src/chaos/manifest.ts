import type { PutRequest } from '../history/index.ts'

/** The rules that a put stands for: those whose name begins with `box` are urns. */
export function manifestOf({ pool, items, lastOne }: PutRequest): object {
  const isUrn = pool.startsWith('box')
  return {
    id: pool,
    mode: isUrn ? 'urn' : 'weighted',
    ...(lastOne === undefined ? {} : { lastOne }),
    items: items.map(({ id, stock }, index) =>
      isUrn ? { id, stock } : { id, weight: 1 + index * 9, stock },
    ),
  }
}

/** The pools that every server of a campaign has from its beginning. */
export const firstPools: readonly PutRequest[] = [
  {
    kind: 'put',
    pool: 'campaign',
    items: [
      { id: 'grand', stock: 5 },
      { id: 'small', stock: 500 },
      { id: 'thanks', stock: 'unlimited' },
    ],
  },
  {
    kind: 'put',
    pool: 'box',
    items: [
      { id: 'A', stock: 10 },
      { id: 'B', stock: 990 },
      { id: 'last', stock: 20 },
    ],
    lastOne: 'last',
  },
  {
    kind: 'put',
    pool: 'scarce',
    items: [
      { id: 'few', stock: 40 },
      { id: 'fewer', stock: 10 },
    ],
  },
  { kind: 'put', pool: 'switch', items: [{ id: 'on', stock: 'unlimited' }] },
]
