import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseManifest } from '../../src/pool/manifest.ts'
import {
  applyDelete,
  applyDraws,
  applyKey,
  applyKeyPolicy,
  applyPut,
  computeStateHash,
  State,
} from '../../src/pool/state.ts'
import { ByteReader, ByteWriter } from '../../src/record/bytes.ts'
import { readKeys, writeKeys } from '../../src/snapshot/kept-keys.ts'
import { readReceipt } from '../../src/writer/receipts.ts'

/** A kept draw as whoever keeps a list of them has it. */
interface Listed {
  readonly pool: string
  readonly key: string
  readonly firstDraw: number
  readonly time: number
  readonly items: readonly string[]
  readonly version: number
  readonly asked: number
  readonly partial: boolean
  readonly recipient: string
}

type Step =
  | { readonly do: 'draw'; readonly pool: number; readonly key: number; readonly given: number }
  | { readonly do: 'many'; readonly keys: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'put'; readonly pool: number; readonly items: number }
  | { readonly do: 'delete'; readonly pool: number }
  | { readonly do: 'policy'; readonly retentionMs: number; readonly most: number }
  | { readonly do: 'snapshot' }

const poolIds = ['a', 'b', '__proto__']
const secret = Uint8Array.from({ length: 16 }, (_, byte) => 255 - byte * 3)
const pick = fc.integer({ min: 0, max: poolIds.length - 1 })
const steps: fc.Arbitrary<Step>[] = [
  fc.record({
    do: fc.constant('draw' as const),
    pool: pick,
    key: fc.integer({ min: 0, max: 9 }),
    given: fc.integer({ min: 1, max: 90 }),
  }),
  fc.record({ do: fc.constant('many' as const), keys: fc.integer({ min: 1, max: 700 }) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 700 }) }),
  fc.record({ do: fc.constant('put' as const), pool: pick, items: fc.constantFrom(1, 2, 256, 257) }),
  fc.record({ do: fc.constant('delete' as const), pool: pick }),
  fc.record({
    do: fc.constant('policy' as const),
    retentionMs: fc.constantFrom(1, 500, 1000),
    most: fc.constantFrom(1, 30, 100_000),
  }),
  fc.record({ do: fc.constant('snapshot' as const) }),
]

/** The state, and beside it a list in which everything is looked for one by one. */
class Twins {
  state = new State()
  list: Listed[] = []
  time = 1_790_000_000_000
  policy: { retentionMs: number; most: number; secret: Uint8Array } = {
    retentionMs: 1000,
    most: 100_000,
    secret,
  }

  constructor() {
    this.setPolicy(this.policy)
    for (const pool of poolIds.keys()) this.put(pool, 2)
  }

  setPolicy(policy: { retentionMs: number; most: number; secret: Uint8Array }): void {
    this.policy = policy
    applyKeyPolicy(this.state, policy)
  }

  put(pool: number, items: number): void {
    const id = poolIds[pool]!
    const number = this.state.pools.get(id)?.number ?? this.state.nextPool
    const manifest = Array.from({ length: items }, (_, i) => ({
      id: `${items}-${i}`,
      weight: 1,
      stock: 'unlimited',
    }))
    applyPut(this.state, number, parseManifest({ id, items: manifest } as never))
  }

  draw(poolIndex: number, key: string, given: number): void {
    const pool = this.state.pools.get(poolIds[poolIndex]!)
    if (pool === undefined || this.find(pool.id, key) !== undefined) return
    const chosen = Array.from({ length: given + 3 }, (_, k) => (k * 7 + given) % pool.itemIds.length)
    const outcomes = pool.itemIds.length <= 256 ? Uint8Array.from(chosen) : Uint16Array.from(chosen)
    const request = {
      asked: given + (given % 2),
      partial: given % 2 === 1,
      key,
      recipient: given % 3 === 0 ? 'r' : '',
    }
    applyDraws(this.state, pool, outcomes, 3, given)
    applyKey(this.state, pool, outcomes, 3, given, this.time, request)
    const { retentionMs, most } = this.policy
    for (let count = 0; count < 16 && this.list.length > 0; count++) {
      const due = this.list.length >= most || this.list[0]!.time + retentionMs <= this.time
      if (!due) break
      this.list.shift()
    }
    const items = Array.from(outcomes.subarray(3), item => pool.itemIds[item]!)
    const firstDraw = this.state.drawNumber - given + 1
    this.list.push({ pool: pool.id, firstDraw, time: this.time, items, version: pool.version, ...request })
  }

  find(pool: string, key: string): Listed | undefined {
    const kept = this.list.findLast(draw => draw.pool === pool && draw.key === key)
    return kept !== undefined && kept.time + this.policy.retentionMs > this.time ? kept : undefined
  }

  async snapshot(): Promise<void> {
    const writer = new ByteWriter()
    await writeKeys(writer, this.state, () => undefined)
    const copy = Object.assign(new State(), { drawNumber: this.state.drawNumber, hash: this.state.hash })
    for (const pool of this.state.pools.values()) copy.pools.set(pool.id, pool)
    for (const [number, pool] of this.state.byNumber) copy.byNumber.set(number, pool)
    copy.nextPool = this.state.nextPool
    const reader = new ByteReader(writer.written())
    readKeys(reader, copy)
    assert.equal(reader.rest, 0)
    this.state = copy
  }

  check(): void {
    const { keys } = this.state
    assert.equal(keys.size, this.list.length)
    assert.equal(keys.computeHash(), keys.hash)
    assert.equal(computeStateHash(this.state), this.state.hash)
    for (const pool of poolIds) {
      for (let key = 0; key < 10; key++) this.#compare(pool, `${key}`)
    }
    for (const draw of this.list.slice(0, 3).concat(this.list.slice(-3))) {
      const last = draw.firstDraw + draw.items.length - 1
      for (const number of [draw.firstDraw, last])
        assert.equal(keys.read(keys.findDraw(number)).firstDraw, draw.firstDraw)
    }
    assert.equal(keys.findDraw((this.list[0]?.firstDraw ?? 1) - 1), -1)
    assert.equal(keys.findDraw(this.state.drawNumber + 1), -1)
  }

  #compare(pool: string, key: string): void {
    const { keys } = this.state
    const kept = this.find(pool, key)
    const position = keys.find(pool, key, this.time)
    assert.equal(position >= 0, kept !== undefined, `${pool} ${key}`)
    if (kept === undefined) return
    const entry = keys.read(position)
    const { firstDraw: id, time: at, items, version } = kept
    assert.deepEqual(readReceipt(keys, entry), { id, pool, items, version, at, replayed: true })
    const same = (asked: number, partial: boolean, recipient: string): boolean =>
      keys.isSame(entry, { asked, partial, recipient })
    assert.ok(same(kept.asked, kept.partial, kept.recipient))
    assert.ok(!same(kept.asked + 1, kept.partial, kept.recipient))
    assert.ok(!same(kept.asked, !kept.partial, kept.recipient))
    assert.ok(!same(kept.asked, kept.partial, `${kept.recipient}x`))
  }
}

test('keys are kept and forgotten as a plain list of them has it, through snapshots', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 40 }), async script => {
      const twins = new Twins()
      let many = 0
      for (const step of script) {
        if (step.do === 'draw') twins.draw(step.pool, `${step.key}`, step.given)
        else if (step.do === 'many') for (let k = 0; k < step.keys; k++) twins.draw(0, `many-${many++}`, 1)
        else if (step.do === 'wait') twins.time += step.ms
        else if (step.do === 'put') twins.put(step.pool, step.items)
        else if (step.do === 'policy') twins.setPolicy({ ...step, secret })
        else if (step.do === 'snapshot') await twins.snapshot()
        else {
          const pool = twins.state.pools.get(poolIds[step.pool]!)
          if (pool !== undefined) applyDelete(twins.state, pool)
        }
        twins.check()
      }
    }),
    { numRuns: 150, seed: 3 },
  )
})
