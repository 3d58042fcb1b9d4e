import type {
  Drawn,
  History,
  LoggedDraws,
  Operation,
  Outcome,
  Request,
  Stock,
} from '../../src/history/index.ts'

export type LoggedHistory = History & Required<Pick<History, 'log'>>

/** What a client wants, as small numbers that a generator can make. */
export interface Wish {
  readonly what: 'draw' | 'keyed' | 'restock' | 'put' | 'status' | 'read'
  readonly pool: number
  readonly size: number
  readonly key: number
  /** How long before and after its moment it was asked and answered. */
  readonly before: number
  readonly after: number
  /** The answer is lost, or the question is. */
  readonly lost: 'no' | 'answer' | 'question'
}

interface Item {
  readonly id: string
  stock: number
  drawn: number
}

interface Pool {
  readonly id: string
  readonly items: Item[]
  version: number
  status: 'open' | 'paused' | 'closed'
}

type Retention = NonNullable<History['keys']>

const endless = Number.POSITIVE_INFINITY
const keptForEver: Retention = { retentionMs: endless, most: endless }
const statuses = ['open', 'paused', 'open', 'open', 'open', 'closed'] as const
const told = (units: number): Stock => (units === endless ? 'unlimited' : units)

/** The simplest kuji there is: one request after another, Maps and loops, and a list for a log. */
export class SequentialModel {
  readonly operations: Operation[] = []
  readonly log: (LoggedDraws & { items: string[]; at: number })[] = []
  readonly #pools: Pool[] = ['p', 'q'].map(id => ({
    id,
    items: [
      { id: 'a', stock: id === 'p' ? 4 : endless, drawn: 0 },
      { id: 'b', stock: 3, drawn: 0 },
    ],
    version: 1,
    status: 'open',
  }))
  readonly #kept = new Map<string, { request: string; receipt: Drawn & { at: number }; place: number }>()
  #keyed = 0
  #number = 0
  #now = 0

  readonly keys: Retention

  constructor(keys: Retention) {
    this.keys = keys
    for (const pool of this.#pools)
      this.#note({ before: 0, after: 0 }, putOf(pool), { kind: 'changed', version: 1 })
  }

  static run(wishes: readonly Wish[], keys: Retention = keptForEver): LoggedHistory {
    const model = new SequentialModel(keys)
    for (const wish of wishes) model.#grant(wish)
    for (const pool of model.#pools)
      model.#note({ before: 0, after: 0 }, { kind: 'read', pool: pool.id }, model.#read(pool), 1e6)
    const { operations, log } = model
    return { operations, log, ...(keys === keptForEver ? {} : { keys }) }
  }

  #note({ before, after }: { before: number; after: number }, request: Request, outcome: Outcome, wait = 10) {
    this.#now += wait
    const [invoked, completed] = [this.#now - before, this.#now + after]
    this.operations.push({ client: 'model', invoked, completed, request, outcome })
  }

  #grant(wish: Wish): void {
    const pool = this.#pools[wish.pool]!
    const request = this.#request(wish, pool)
    const answer = wish.lost === 'question' ? undefined : this.#serve(request, pool)
    const never = wish.lost !== 'no' && wish.after % 2 === 0
    const span = { before: wish.before, after: never ? endless : wish.after }
    this.#note(span, request, wish.lost === 'no' ? answer! : { kind: 'unknown' })
  }

  #request({ what, size, key }: Wish, pool: Pool): Request {
    const draw = { kind: 'draw', pool: pool.id, count: size, partial: size % 2 === 0 } as const
    switch (what) {
      case 'draw':
        return key % 4 === 0 ? { ...draw, recipient: `r${key}` } : draw
      case 'keyed':
        // One of ten keys has the same request nearly always.
        return { ...draw, count: size > 4 ? 9 : (key % 3) + 1, partial: key % 2 === 0, key: `k${key}` }
      case 'restock':
        return { kind: 'restock', pool: pool.id, item: 'b', units: size }
      case 'put':
        return { ...putOf(pool), items: putOf(pool).items.map(item => (item.id === 'b' ? grow(item) : item)) }
      case 'status':
        return { kind: 'status', pool: pool.id, status: statuses[key % statuses.length]! }
      default:
        return { kind: 'read', pool: pool.id }
    }
  }

  #serve(request: Request, pool: Pool): Outcome {
    if (request.kind === 'read') return this.#read(pool)
    if (request.kind === 'draw') return this.#draw(request, pool)
    if (pool.status === 'closed') {
      const same = request.kind === 'status' && request.status === 'closed'
      return same ? { kind: 'changed', version: pool.version } : { kind: 'refused', code: 'POOL_CLOSED' }
    }
    if (request.kind === 'status') pool.status = request.status
    else pool.version++
    if (request.kind === 'restock') pool.items[1]!.stock += request.units
    if (request.kind === 'put') pool.items[1]!.stock = request.items[1]!.stock as number
    return { kind: 'changed', version: pool.version }
  }

  #draw(request: Request & { kind: 'draw' }, pool: Pool): Outcome {
    const { count, partial = false, key, recipient } = request
    const name = `${pool.id} ${key}`
    const before = this.#findKept(name)
    if (before !== undefined) {
      if (before.request !== JSON.stringify(request)) return { kind: 'refused', code: 'KEY_CONFLICT' }
      return { ...before.receipt, replayed: true }
    }
    if (pool.status !== 'open')
      return { kind: 'refused', code: pool.status === 'closed' ? 'POOL_CLOSED' : 'POOL_PAUSED' }
    const left = pool.items.reduce((sum, { stock, drawn }) => sum + stock - drawn, 0)
    if (left === 0) return { kind: 'refused', code: 'POOL_EMPTY' }
    if (left < count && !partial) return { kind: 'refused', code: 'INSUFFICIENT_STOCK' }
    const id = this.#number + 1
    const items = Array.from({ length: Math.min(count, left) }, (_, k) => this.#take(pool, k))
    const end = this.log.at(-1)
    let at = this.#now
    if (key === undefined && recipient === undefined) {
      if (end?.request === undefined && end?.pool === pool.id) {
        end.items.push(...items)
        // All that is in one record is of one time.
        at = end.at
      } else this.log.push({ id, pool: pool.id, at, items: [...items] })
    } else {
      const named = {
        ...(key === undefined ? {} : { key }),
        ...(recipient === undefined ? {} : { recipient }),
      }
      this.log.push({ id, pool: pool.id, at, items, request: { count, partial, ...named } })
    }
    const receipt = {
      kind: 'drawn',
      id,
      items,
      version: pool.version,
      at,
      replayed: false,
    } as const
    if (key !== undefined)
      this.#kept.set(name, { request: JSON.stringify(request), receipt, place: ++this.#keyed })
    return receipt
  }

  #findKept(name: string) {
    const kept = this.#kept.get(name)
    if (kept === undefined) return undefined
    const { retentionMs, most } = this.keys
    const isForgotten = kept.receipt.at + retentionMs <= this.#now || this.#keyed - kept.place >= most
    return isForgotten ? undefined : kept
  }

  #take(pool: Pool, k: number): string {
    const inStock = pool.items.filter(({ stock, drawn }) => drawn < stock)
    const item = inStock[(this.#number + k) % inStock.length]!
    item.drawn++
    this.#number++
    return item.id
  }

  #read({ version, status, items }: Pool): Outcome {
    return {
      ...{ kind: 'shown', version, status },
      drawn: items.reduce((sum, { drawn }) => sum + drawn, 0),
      items: items.map(({ id, stock, drawn }) => ({
        ...{ id, stock: told(stock), remaining: told(stock - drawn), held: 0, drawn },
      })),
    }
  }
}

function putOf({ id, items }: Pool): Request & { kind: 'put' } {
  return { kind: 'put', pool: id, items: items.map(item => ({ id: item.id, stock: told(item.stock) })) }
}

function grow({ id, stock }: { id: string; stock: Stock }) {
  return { id, stock: (stock as number) + 1 }
}
