import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Chance } from '../src/chance.ts'
import { DiskStates } from '../src/crash-points/disk-states.ts'
import { Exploration, replay } from '../src/crash-points/explore.ts'
import { type RecordOptions, record } from '../src/crash-points/recording.ts'
import { scripts } from '../src/crash-points/scripts.ts'
import { Violation } from '../src/sim/model/model.ts'
import { Device } from '../src/sim/world/device.ts'
import { Trace } from '../src/sim/world/trace.ts'
import { rewritesInPlace, wrongDisks } from './support/wrong-disks.ts'

const sectorSizes = [512, 4096] as const

/** Looks at every moment of a script, up to the first failure. */
async function explore(script: string, options: RecordOptions, most?: number): Promise<Exploration> {
  const recording = await record(script, options)
  const exploration = new Exploration(recording, most)
  for (const place of recording.points.keys()) {
    await exploration.explore(place)
    if (exploration.failures.length > 0) break
  }
  return exploration
}

for (const script of Object.keys(scripts)) {
  test(`nothing answered is lost, whatever a crash leaves of what was not synced: ${script}`, async () => {
    for (const sectorBytes of sectorSizes) {
      const exploration = await explore(script, { seed: 1, sectorBytes })
      const { first, second, failures, distinct } = exploration
      // All subsets at every moment, before as well as behind the first answer.
      assert.equal(first.sampled, 0)
      assert.ok(first.points > 45 && distinct.length > 5, JSON.stringify(first))
      // And a few crashes in the middle of the starts that follow.
      for (const crash of distinct.filter((_, place) => place % 11 === 0))
        await exploration.exploreRecovery(crash, 60)
      assert.ok(second.states > 50, JSON.stringify(second))
      assert.deepEqual(failures, [])
    }
  })
}

/** What has to be seen when a script is played. */
const seen: Readonly<Record<string, readonly RegExp[]>> = {
  archive: [/snapshot-written/, /segment-archived/, /rename .*spare.* to segment/],
  remove: [/snapshot-written/, /remove .*segment-\d+\.log$/, /rename .*spare.* to segment/],
  killed: [/snapshot-written/, /segment-archived/],
  recovery: [/torn-batch-cut/],
  'recovery-behind-a-full-file': [/torn-batch-cut: segment-0000000002/, /snapshot-written/],
}

for (const [script, patterns] of Object.entries(seen)) {
  test(`the script does what it is there for: ${script}`, async () => {
    for (const sectorBytes of sectorSizes) {
      const { trace } = await record(script, { seed: 1, sectorBytes, keepTrace: true })
      for (const pattern of patterns)
        assert.ok(
          trace.lines!.some(line => pattern.test(line)),
          `${pattern}`,
        )
    }
  })
}

test('every subset of what is not synced makes a state, and the device itself stays as it is', () => {
  const device = new Device({ sectorBytes: 512, nameOrder: 'any', chance: new Chance(1, 'test') })
  device.makeDirectory('/d')
  const log = device.create('/d/log')
  log.write(new Uint8Array(1024).fill(1), 0)
  log.flush()
  device.syncDirectory('/d')
  log.write(new Uint8Array(600).fill(2), 400)
  device.create('/d/other')
  device.create('/d/half.tmp').write(new Uint8Array(2048).fill(3), 0)
  const states = new DiskStates(device.clone())
  const seen = new Set<string>()
  for (const kept of states.subsets(16, new Chance(1, 'test'))) {
    const files = states.state(kept).files.get('/d')!
    const [first, second] = [files.get('log')![511], files.get('log')![512]]
    seen.add(`${first}${second}${files.has('other') ? ' other' : ''}${files.has('half.tmp') ? ' half' : ''}`)
    assert.equal(files.get('log')![399], 1)
  }
  // Two sectors and two names; the bytes of an unfinished file are not part of it.
  assert.equal(states.possible, 16)
  assert.equal(seen.size, 16)
  assert.equal(device.unsyncedNames.length, 2)
})

test('where there are too many subsets: none, all, each alone, each missing, and some by chance', () => {
  const device = new Device({ sectorBytes: 512, nameOrder: 'any', chance: new Chance(1, 'test') })
  device.makeDirectory('/d')
  device.create('/d/log').write(new Uint8Array(20 * 512).fill(1), 0)
  const states = new DiskStates(device)
  // Twenty sectors, the name and the size.
  assert.equal(states.possible, 2 ** 22)
  const subsets = [...states.subsets(100, new Chance(1, 'test'))]
  assert.equal(new Set(subsets).size, 100)
  for (let bit = 0n; bit < 22n; bit++) {
    assert.ok(subsets.includes(1n << bit))
    assert.ok(subsets.includes(((1n << 22n) - 1n) ^ (1n << bit)))
  }
  assert.ok(subsets.includes(0n) && subsets.includes((1n << 22n) - 1n))
})

for (const [what, disk] of Object.entries(wrongDisks)) {
  test(`it is found when ${what}, and the crash can be made again`, async () => {
    const options = { seed: 1, sectorBytes: 512, disk } as const
    const { failures } = await explore('archive', options, 32)
    assert.ok(failures.length > 0)
    const trace = new Trace(true)
    const again = replay(await record('archive', options), failures[0]!.crash, null, trace)
    await assert.rejects(again, Violation)
    assert.match(trace.lines!.join('\n'), /the power goes (?:during|after) call \d+/)
  })
}

test('it is found when recovery changes a file in place, by a crash in the middle of it alone', async () => {
  const exploration = await explore('draws', { seed: 1, sectorBytes: 512, disk: rewritesInPlace })
  assert.deepEqual(exploration.failures, [])
  for (const crash of exploration.distinct) await exploration.exploreRecovery(crash, 200)
  assert.ok(exploration.failures.length > 0)
  assert.ok(exploration.failures.every(({ second }) => second !== null))
})
