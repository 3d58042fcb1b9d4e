import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kuji, PoolManifest } from '@kuji/engine'
import fc from 'fast-check'
import { openIn } from '../../packages/engine/src/open.ts'
import { codeOf } from '../../packages/engine/test/support/codes.ts'
import { testWorld } from '../../packages/engine/test/support/world.ts'

/** What is done to a pool while it is drawn from. */
type Step =
  | { readonly do: 'draw'; readonly count: number; readonly how: 'draw' | 'many' | 'keyed' }
  | { readonly do: 'restock'; readonly item: number; readonly units: number }
  | { readonly do: 'reweigh'; readonly item: number; readonly weight: number }
  | { readonly do: 'put'; readonly item: number; readonly units: number }

interface Shape {
  readonly mode: 'weighted' | 'urn'
  readonly stocks: readonly number[]
  readonly weights: readonly number[]
  readonly fallback: boolean
  readonly lastOne: boolean
  readonly steps: readonly Step[]
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('draw' as const),
      count: fc.integer({ min: 1, max: 60 }),
      how: fc.constantFrom('draw', 'many', 'keyed'),
    }),
  },
  fc.record({ do: fc.constant('restock' as const), item: fc.nat(), units: fc.integer({ min: 1, max: 20 }) }),
  fc.record({
    do: fc.constant('reweigh' as const),
    item: fc.nat(),
    weight: fc.constantFrom(0.000000001, 0.5, 1, 7, 500),
  }),
  fc.record({ do: fc.constant('put' as const), item: fc.nat(), units: fc.integer({ min: 1, max: 20 }) }),
)

const sizes = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 2, max: 9 }) },
  fc.constantFrom(64, 300, 1500),
)
const shape: fc.Arbitrary<Shape> = sizes.chain(size =>
  fc.record({
    mode: fc.constantFrom('weighted', 'urn'),
    stocks: fc.array(fc.integer({ min: 1, max: size > 9 ? 3 : 40 }), { minLength: size, maxLength: size }),
    weights: fc.array(fc.constantFrom(0.1, 1, 3, 100, 0.000000001), { minLength: size, maxLength: size }),
    fallback: fc.boolean(),
    lastOne: fc.boolean(),
    steps: fc.array(step, { maxLength: 25 }),
  }),
)

/** A pool as it is now, and what a list of counts says that it still has. */
class Drained {
  readonly #kuji: Kuji
  readonly #shape: Shape
  readonly #stocks: number[]
  readonly #weights: number[]
  readonly #drawn: number[]
  #keys = 0
  /** How often the last ticket was drawn while there was something to come with it. */
  #lastOnes = 0

  constructor(kuji: Kuji, shape: Shape) {
    this.#kuji = kuji
    this.#shape = shape
    this.#stocks = [...shape.stocks]
    this.#weights = [...shape.weights]
    this.#drawn = shape.stocks.map(() => 0)
  }

  /** Item 0 is the fallback, or what comes with the last ticket. */
  get #hasLastOne(): boolean {
    return this.#shape.mode === 'urn' && this.#shape.lastOne
  }

  async put(): Promise<void> {
    const { mode, fallback } = this.#shape
    const items = this.#stocks.map((stock, item) =>
      mode === 'urn' ? { id: `i${item}`, stock } : { id: `i${item}`, stock, weight: this.#weights[item]! },
    )
    const manifest: PoolManifest = {
      ...{ id: 'p', mode, items },
      ...(mode === 'weighted' && fallback ? { fallback: 'i0' } : {}),
      ...(this.#hasLastOne ? { lastOne: 'i0' } : {}),
    }
    await this.#kuji.putPool(manifest)
  }

  async take(made: Step): Promise<void> {
    if (made.do === 'draw') return void (await this.draw(made.count, made.how))
    const item = made.item % this.#stocks.length
    if (made.do === 'reweigh') {
      if (this.#shape.mode === 'urn') return
      this.#weights[item] = made.weight
      await this.#kuji.updateItem('p', `i${item}`, { weight: made.weight })
      return
    }
    this.#stocks[item]! += made.units
    if (made.do === 'put') await this.put()
    else await this.#kuji.updateItem('p', `i${item}`, { restock: made.units })
  }

  /** Draws at most so many; false where there was nothing. */
  async draw(count: number, how: 'draw' | 'many' | 'keyed'): Promise<boolean> {
    const left = this.#left()
    if (left === 0) {
      assert.equal(await codeOf(this.#kuji.draw('p')), 'POOL_EMPTY')
      return false
    }
    const isLast = this.#hasLastOne && count >= left && this.#stocks[0]! > this.#drawn[0]!
    const ids = how === 'many' ? await this.#drawMany(count) : await this.#draw(count, how)
    for (const id of ids) this.#drawn[Number(id.slice(1))]!++
    assert.equal(ids.length, Math.min(count, left) + Number(isLast))
    if (isLast) assert.equal(ids.at(-1), 'i0')
    this.#lastOnes += Number(isLast)
    return true
  }

  async #draw(count: number, how: string): Promise<readonly string[]> {
    const key = how === 'keyed' ? { key: `k${this.#keys++}` } : {}
    return (await this.#kuji.draw('p', { count, partial: true, ...key })).items
  }

  async #drawMany(count: number): Promise<string[]> {
    const { items, itemIds } = await this.#kuji.drawMany('p', count, { partial: true })
    return Array.from(items, item => itemIds[item]!)
  }

  /** Units that can be drawn: all but those of what comes with the last ticket. */
  #left(): number {
    return this.#stocks.reduce(
      (sum, stock, item) => sum + (item === 0 && this.#hasLastOne ? 0 : stock - this.#drawn[item]!),
      0,
    )
  }

  /** Each item has come as often as its stock, restocks included; what comes with last tickets, with each of them. */
  check(): void {
    const stocks = this.#hasLastOne ? [this.#lastOnes, ...this.#stocks.slice(1)] : this.#stocks
    assert.deepEqual(this.#drawn, stocks)
  }
}

test('a pool that is drained has given its stock, ticket for ticket, whatever was done to it meanwhile', async () => {
  const property = fc.asyncProperty(shape, fc.integer({ min: 1, max: 2 ** 31 }), async (form, seed) => {
    const kuji = await openIn({ durability: 'none' }, testWorld(undefined, seed))
    const pool = new Drained(kuji, form)
    await pool.put()
    for (const made of form.steps) await pool.take(made)
    for (let round = 0; await pool.draw([1, 7, 100, 2000][round % 4]!, 'draw'); round++);
    pool.check()
    await kuji.close()
  })
  await fc.assert(property, { seed: 1, numRuns: 400 })
})
