import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { EngineEvent, Kuji, PoolManifest, PoolState } from '@kuji/engine'
import { openIn } from '../src/open.ts'
import { filesOf } from './support/directory.ts'
import type { Call } from './support/faulty-disk.ts'
import { FaultyDisk } from './support/faulty-disk.ts'
import { readLogOnPaper } from './support/log-reader.ts'
import { allPools } from './support/render.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { testWorld } from './support/world.ts'

/**
 * A small script of everything that touches the disk (draws, new versions, rotation, snapshots, archiving, shutdown)
 * is run again and again, and dies at its first operation on the disk, at its second, and so on; where that is a
 * write, once before it and once in the middle of it. Each time the plain disk is opened, and what was answered must
 * be there.
 */
const segmentBytes = 4096

interface Answer {
  readonly id: number
  readonly pool: string
  readonly items: readonly string[]
}

/** What the program that died had been told. */
interface Told {
  readonly answers: Answer[]
  /** Versions of pools, by id. */
  readonly versions: Map<string, number>
  /** Draws that were asked for and not answered: each is there whole or not at all. */
  readonly open: Map<number, number>
  /** Requests with a key, answered or not. */
  readonly keyed: { readonly pool: string; readonly count: number; readonly key: string; answer?: Answer }[]
}

const banner = (stock: number): PoolManifest => ({
  id: 'banner',
  items: [
    { id: 'rare', weight: 1, stock },
    { id: 'usual', weight: 3, stock: 'unlimited' },
  ],
  metadata: 'x'.repeat(300),
})
const box: PoolManifest = {
  id: 'box',
  mode: 'urn',
  items: [
    { id: 'A', stock: 2 },
    { id: 'B', stock: 60 },
    { id: 'last', stock: 1 },
  ],
  lastOne: 'last',
}

async function runScript(kuji: Kuji, told: Told): Promise<void> {
  let calls = 0
  const draw = async (pool: string, count: number, key?: string): Promise<void> => {
    const call = calls++
    told.open.set(call, count)
    const asked: Told['keyed'][number] | undefined = key === undefined ? undefined : { pool, count, key }
    if (asked !== undefined) told.keyed.push(asked)
    const { id, items } = await kuji.draw(pool, key === undefined ? { count } : { count, key })
    told.open.delete(call)
    told.answers.push({ id, pool, items })
    if (asked !== undefined) asked.answer = { id, pool, items }
  }
  const put = async (manifest: PoolManifest): Promise<void> => {
    const { version } = await kuji.putPool(manifest)
    told.versions.set(manifest.id, version)
  }
  await put(banner(3))
  await put(box)
  for (let round = 0; round < 9; round++) {
    await Promise.all([draw('banner', 400), draw('box', 3, `round-${round}`), draw('banner', 1, `${round}`)])
    await draw('banner', 900)
    if (round % 3 === 1) await put(banner(10 + round))
    if (round === 4) {
      await kuji.updateItem('box', 'B', { restock: 7 })
      told.versions.set('box', 2)
    }
  }
  await kuji.close()
}

/** Runs the script on a disk that dies at one operation. True when the script was done before that. */
async function dieAt(dir: string, last: number, torn: boolean, told: Told): Promise<boolean> {
  let operations = 0
  const death = Promise.withResolvers<false>()
  const disk = new FaultyDisk(({ operation, bytes }: Call) => {
    if (++operations < last) return undefined
    death.resolve(false)
    if (torn && operations === last && operation === 'write')
      return { most: (bytes!.length * 2) / 3, error: new Error('dead') }
    return new Promise<undefined>(() => undefined)
  })
  const script = async (): Promise<true> => {
    const kuji = await openIn(
      { dir, durability: torn ? 'os' : 'sync', segmentBytes, onEvent: () => undefined },
      testWorld(disk, last),
    )
    await runScript(kuji, told)
    return true
  }
  const done = await Promise.race([script(), death.promise])
  await disk.abandon()
  return done
}

function checkState(dir: string, told: Told, pools: PoolState[], drawNumber: number, what: string): void {
  const { draws, pools: onPaper, lsns } = readLogOnPaper(dir)
  for (const [index, lsn] of lsns.entries()) assert.equal(lsn, index + 1, what)
  assert.equal(draws.length, drawNumber, what)
  for (const { id, pool, items } of told.answers) {
    const logged = draws.slice(id - 1, id - 1 + items.length)
    assert.deepEqual(
      logged.map(draw => draw.item),
      items,
      `${what}: draw ${id}`,
    )
    assert.ok(logged.every(draw => draw.pool === pool))
  }
  for (const [id, version] of told.versions) assert.ok(onPaper.get(id)!.version >= version, `${what}: ${id}`)
  const shown = pools.map(pool => [
    pool.id,
    pool.version,
    pool.status,
    ...pool.items.map(item => `${item.id} ${item.drawn} of ${item.stock}`),
  ])
  const expected = [...onPaper.values()].map(pool => [
    pool.id,
    pool.version,
    pool.status,
    ...pool.items.map(item => `${item.id} ${item.drawn} of ${item.stock < 0 ? 'unlimited' : item.stock}`),
  ])
  assert.deepEqual(shown, expected, what)
  for (const { items } of pools)
    for (const { drawn, stock } of items) assert.ok(stock === 'unlimited' || drawn <= stock, what)
}

/** Draws beyond those answered are whole requests: a sum of some that were open. */
function checkWhole(told: Told, drawNumber: number, what: string): void {
  const answered = told.answers.reduce((sum, { items }) => sum + items.length, 0)
  let sums = new Set([0])
  for (const count of told.open.values()) sums = new Set([...sums, ...[...sums].map(sum => sum + count)])
  assert.ok(
    sums.has(drawNumber - answered),
    `${what}: ${drawNumber - answered} draws of ${[...told.open.values()]}`,
  )
}

/**
 * Every request with a key is asked again, as its caller would: what was answered comes again, and what was not is
 * drawn once, whether that was before the crash or is now.
 */
async function askAgain(kuji: Kuji, dir: string, told: Told, what: string): Promise<void> {
  for (const { pool, count, key, answer } of told.keyed) {
    const { drawNumber } = kuji.status()
    const again = await kuji.draw(pool, { count, key })
    if (answer !== undefined)
      assert.deepEqual([again.replayed, again.id, again.items], [true, answer.id, answer.items])
    assert.equal(kuji.status().drawNumber, drawNumber + (again.replayed ? 0 : again.items.length), what)
  }
  const { keys } = readLogOnPaper(dir)
  for (const { pool, key } of told.keyed)
    assert.equal(keys.get(`${pool} ${key}`)!.length, 1, `${what}: ${key}`)
}

for (const torn of [false, true]) {
  test(`nothing answered is lost, whichever operation it dies ${torn ? 'in the middle of' : 'before'}`, async t => {
    const parent = temporaryDirectory(t)
    const seen = new Set<string>()
    let last = 1
    for (let done = false; !done; last++) {
      const dir = join(parent, `${last}`)
      const told: Told = { answers: [], versions: new Map(), open: new Map(), keyed: [] }
      done = await dieAt(dir, last, torn, told)
      const what = `operation ${last}`
      const events: EngineEvent[] = []
      const onEvent = (event: EngineEvent): number => events.push(event)
      const kuji = await openIn({ dir, durability: 'os', segmentBytes, onEvent }, testWorld())
      const pools = await allPools(kuji)
      const { drawNumber } = kuji.status()
      checkState(dir, told, pools, drawNumber, what)
      checkWhole(told, drawNumber, what)
      await askAgain(kuji, dir, told, what)
      for (const { type } of events) seen.add(type)
      await kuji.close()
      if (done) {
        assert.ok(filesOf(dir, /^snapshot/).length === 2 && filesOf(join(dir, 'archive'), /zst$/).length >= 2)
        assert.equal(told.answers.length, 36)
      }
      rmSync(dir, { recursive: true })
    }
    assert.ok(last > 150, `${last} operations`)
    assert.ok(seen.has('leftover-removed') && (!torn || seen.has('torn-batch-cut')), [...seen].join())
  })
}
