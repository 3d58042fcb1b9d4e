import type { PoolManifest } from '@kuji/engine/contract'
import type { DrawOperation, Operation } from '../sim/model/operation.ts'
import type { Act, EngineOptions, Stage } from './stage.ts'

/** What is played, and looked at in each of its moments. */
export interface Script {
  readonly engine: EngineOptions
  /** Played before, on a machine whose power goes in the middle of it. */
  readonly before?: (stage: Stage) => ReturnType<Stage['askInVain']>
  readonly act: Act
}

const wheel = (stock: number): PoolManifest => ({
  id: 'wheel',
  items: [
    { id: 'rare', weight: 1, stock },
    { id: 'usual', weight: 9, stock: 'unlimited' },
  ],
})
const box: PoolManifest = {
  id: 'box',
  mode: 'urn',
  items: [
    { id: 'A', stock: 2 },
    { id: 'B', stock: 300 },
    { id: 'last', stock: 1 },
  ],
  lastOne: 'last',
}

const put = (manifest: PoolManifest): Operation => ({ kind: 'put', manifest })
const plain: DrawOperation = {
  ...{ kind: 'draw', pool: 'wheel', count: 1, partial: false, bulk: false },
  ...{ key: '', recipient: '' },
}
const one: Operation = plain
const many = (count: number, pool = 'wheel'): Operation => ({ ...plain, count, pool, bulk: true })
const keyed = (key: string, count = 3, pool = 'wheel'): Operation => ({
  ...plain,
  ...{ key, count, pool, recipient: 'someone' },
})

/** Operations one after the other; those of a list within at the same time. */
async function askAll(
  stage: Stage,
  operations: readonly (Operation | readonly Operation[])[],
): Promise<void> {
  for (const each of operations)
    await Promise.all([each].flat().map(operation => stage.ask(operation as Operation)))
}

const engine = { segmentBytes: 4096 }
const larger = { segmentBytes: 8192 }

/** Enough to fill some segments, so that there are snapshots, and old segments go. */
async function fillSegments(stage: Stage): Promise<void> {
  await stage.open()
  await askAll(stage, [put(wheel(20))])
  for (let round = 0; round < 8; round++) {
    await askAll(stage, [[many(1400), keyed(`round-${round}`)], many(800)])
    // The helper comes to its end, so that a file it has put aside is there to be used again.
    if (round > 3) await stage.wait(500)
  }
}

export const scripts: Readonly<Record<string, Script>> = {
  draws: {
    engine,
    async act(stage) {
      await stage.open()
      await askAll(stage, [put(wheel(3)), one, one, [one, one, one], one])
    },
  },
  'many-draws': {
    engine: larger,
    async act(stage) {
      await stage.open()
      const draws = [many(600), [many(100, 'box'), one], many(3900), many(202, 'box'), one]
      await askAll(stage, [[put(wheel(3)), put(box)], ...draws])
    },
  },
  'keyed-draws': {
    engine,
    async act(stage) {
      await stage.open()
      await askAll(stage, [put(wheel(9)), keyed('a'), [keyed('b', 500), one, keyed('c')], keyed('d'), one])
    },
  },
  changes: {
    engine,
    async act(stage) {
      const status = (to: 'open' | 'paused'): Operation => ({ kind: 'status', pool: 'wheel', status: to })
      await stage.open()
      await askAll(stage, [
        put(wheel(3)),
        keyed('a'),
        [{ kind: 'update', pool: 'wheel', item: 'rare', update: { restock: 4 } }, one],
        [status('paused'), put(box)],
        status('open'),
        put(wheel(30)),
        [keyed('b', 3, 'box'), { kind: 'delete', pool: 'box' }],
        put(box),
        keyed('c', 30, 'box'),
      ])
    },
  },
  archive: { engine: { ...engine, retention: 'archive' }, act: fillSegments },
  remove: { engine: { ...engine, retention: 'remove' }, act: fillSegments },
  'idle-seal': {
    engine,
    async act(stage) {
      await stage.open()
      await askAll(stage, [put(wheel(3)), one])
      await stage.wait(500)
      await askAll(stage, [keyed('a')])
      await stage.wait(500)
    },
  },
  shutdown: {
    engine,
    async act(stage) {
      await stage.open()
      await askAll(stage, [put(wheel(3)), keyed('a')])
      await stage.close()
      await stage.open()
      await askAll(stage, [one])
      await stage.close()
    },
  },
  /** Killed, not cut off: what the kernel has is there. */
  killed: { engine: { ...engine, durability: 'os' }, act: fillSegments },
  recovery: {
    engine: larger,
    async before(stage) {
      await stage.open()
      await askAll(stage, [put(wheel(3)), keyed('a'), many(1500)])
      return stage.askInVain(many(3500))
    },
    async act(stage) {
      await stage.open()
      await askAll(stage, [one, keyed('b')])
    },
  },
  'recovery-behind-a-full-file': {
    engine: larger,
    async before(stage) {
      await stage.open()
      await askAll(stage, [put(wheel(3)), many(3600), keyed('a'), many(3600)])
      return stage.askInVain(many(5000))
    },
    async act(stage) {
      await stage.open()
      await askAll(stage, [one, many(2000), keyed('b'), many(2000), many(2000), many(2000)])
      await stage.wait(2_000)
    },
  },
}
