import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { Chance } from '../src/chance.ts'
import { runOnThreads } from '../src/command/threads.ts'
import { DiskStates } from '../src/crash-points/disk-states.ts'
import { Exploration, replay } from '../src/crash-points/explore.ts'
import { type RecordOptions, record } from '../src/crash-points/recording.ts'
import { scripts } from '../src/crash-points/scripts.ts'
import type { Task, TaskReport } from '../src/crash-points/worker.ts'
import { Violation } from '../src/sim/model/violation.ts'
import { Device } from '../src/sim/world/device.ts'
import { Trace } from '../src/sim/world/trace.ts'
import { wrongEngines, wrongRestarts } from './support/wrong-engines.ts'

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

/** Crashes in the starts that follow, for each script and size of sectors: those of some starts, from end to end. */
const second = 500

test('nothing answered is lost, whatever a crash leaves of what was not synced', async context => {
  const tasks = Object.keys(scripts).flatMap(script =>
    sectorSizes.map(sectorBytes => ({ script, seed: 1, sectorBytes, second })),
  )
  const reports: TaskReport[] = []
  const left = tasks.values()
  // On threads, as the command does it: they are not slowed down by what the test runner notes of each promise.
  await runOnThreads<Task, TaskReport>({
    module: new URL('../src/crash-points/worker.ts', import.meta.url),
    count: availableParallelism(),
    next: () => left.next().value,
    onReport: report => reports.push(report),
  })
  for (const script of Object.keys(scripts))
    await context.test(script, () => {
      const found = reports.filter(({ task }) => task.script === script)
      assert.equal(found.length, sectorSizes.length)
      for (const { first, second, failures } of found) {
        assert.deepEqual(failures, [])
        // All subsets at every moment, before as well as behind the first answer.
        assert.equal(first.states, first.possible)
        assert.ok(first.points > 45 && first.starts > 5, JSON.stringify(first))
        assert.ok(second.points > 45 && second.states > 60, JSON.stringify(second))
      }
    })
})

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

for (const [what, wrong] of Object.entries(wrongEngines)) {
  test(`it is found when ${what}, and the crash can be made again`, async () => {
    const options = { seed: 1, sectorBytes: 512, ...wrong } as const
    const { failures } = await explore('archive', options, 32)
    assert.ok(failures.length > 0)
    const trace = new Trace(true)
    const again = replay(await record('archive', options), failures[0]!.crash, null, trace)
    await assert.rejects(again, Violation)
    assert.match(trace.lines!.join('\n'), /the power goes (?:during|after) call \d+/)
  })
}

for (const [what, disk] of Object.entries(wrongRestarts)) {
  test(`it is found when ${what}, by a crash in the middle of that alone`, async () => {
    const exploration = await explore('draws', { seed: 1, sectorBytes: 512, disk })
    assert.deepEqual(exploration.failures, [])
    for (const crash of exploration.distinct) await exploration.exploreRecovery(crash, 60)
    assert.ok(exploration.failures.length > 0)
    assert.ok(exploration.failures.every(({ second }) => second !== null))
  })
}
