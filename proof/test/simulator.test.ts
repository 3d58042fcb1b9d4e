import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { plant } from '../src/planted/patch.ts'
import { SourceTree } from '../src/planted/tree.ts'
import { happenings } from '../src/sim/happenings.ts'
import { minimise } from '../src/sim/minimise.ts'
import { Violation } from '../src/sim/model/violation.ts'
import { makePlan, wholePlan } from '../src/sim/plan.ts'
import { simulate } from '../src/sim/simulation.ts'
import { Tally } from '../src/sim/tally.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

function runSim(...args: string[]) {
  return runSimIn(root, ...args)
}

function runSimIn(cwd: string, ...args: string[]) {
  const command = ['--conditions=source', 'proof/src/sim/main.ts', ...args]
  return spawnSync(process.execPath, command, { cwd, encoding: 'utf8' })
}

test('a seed has the same trace every time, byte for byte, and another one has another', async () => {
  const hashes = new Set<string>()
  for (const seed of [3, 16, 39, 121]) {
    const plan = makePlan(seed, { ...wholePlan, operations: 400 })
    const [first, second] = [
      await simulate(plan, { keepTrace: true }),
      await simulate(plan, { keepTrace: true }),
    ]
    assert.equal(first.violation, null)
    assert.deepEqual(second.trace.lines, first.trace.lines)
    assert.ok(first.trace.lines.length > 500)
    hashes.add(first.trace.hash).add(second.trace.hash)
  }
  assert.equal(hashes.size, 4)
})

test('seeds differ in what goes wrong, and all of it happens that does not take a thousand of them', async () => {
  const tally = new Tally()
  for (let seed = 1; seed <= 80; seed++) {
    const report = await simulate(makePlan(seed, { ...wholePlan, operations: 300 }), { keepTrace: false })
    assert.equal(report.violation, null, `seed ${seed}: ${report.violation?.message}`)
    tally.add({ ...report, seed, violation: '', kind: '' })
  }
  const rare =
    /: (EIO|EDQUOT|EMFILE|EROFS|EACCES|write of nothing|lost|swapped|misdirected|sector|bit|repairs|power)/
  assert.deepEqual(
    tally.missing.filter(what => !rare.test(what)),
    [],
  )
})

test('what never happened is told', () => {
  const tally = new Tally()
  assert.deepEqual(tally.missing, happenings)
  const counts = Object.fromEntries(happenings.slice(1).map((what, place) => [what, place + 1]))
  tally.add({ seed: 1, violation: '', kind: '', end: 'end', operations: 1, simulatedMs: 1, counts })
  assert.deepEqual(tally.missing, happenings.slice(0, 1))
  assert.match(tally.counts, /^answer: .* · KEY_CONFLICT \d+\n/)
})

test('a repair is part of what a seed makes happen again', async () => {
  const run = (seed: number, keepTrace: boolean) =>
    simulate(makePlan(seed, { ...wholePlan, operations: 400 }), { keepTrace })
  let seed = 0
  let repairs = 0
  while (repairs === 0) {
    do seed++
    while (!makePlan(seed, wholePlan).faults.has('damage'))
    assert.ok(seed < 200, 'so many seeds, and no repair')
    repairs = (await run(seed, false)).counts['life: repairs'] ?? 0
  }
  const [first, second] = [await run(seed, true), await run(seed, true)]
  assert.equal(first.counts['life: repairs'], repairs)
  assert.equal(second.trace.hash, first.trace.hash)
})

test('the command prints what happened, and the same trace for the same seed', () => {
  const [first, second] = [runSim('--seed', '16', '--trace'), runSim('--seed', '16', '--trace')]
  assert.equal(first.status, 0, first.stderr)
  assert.equal(second.stdout, first.stdout)
  assert.match(first.stdout, /\ntrace [0-9a-f]{64}, ended: /)
  const seeds = runSim('--seeds', '1..4', '--operations', '200', '--jobs', '2')
  assert.equal(seeds.status, 0, seeds.stderr)
  assert.match(seeds.stdout, /simulated hours in[\s\S]*\n4 passed, 0 failed\n$/)
})

test('a failure is made smaller for as long as it is the same one', async () => {
  const plan = makePlan(1, wholePlan)
  const report = await simulate(makePlan(1, { ...wholePlan, operations: 1 }), { keepTrace: false })
  const run: typeof simulate = async ({ operations, clients }) => {
    const isFound = operations >= 37 && clients >= 2
    const violation = isFound
      ? new Violation('a pool', `${operations} operations`)
      : new Violation('a receipt', 'something else, which smaller runs come upon')
    return { ...report, violation }
  }
  const { limits, report: smallest } = await minimise(1, { ...wholePlan, operations: 2000 }, 'a pool', run)
  assert.equal(limits.operations, 37)
  assert.deepEqual(new Set(limits.without), plan.faults)
  assert.equal(smallest.violation?.message, '37 operations')
})

test('an error that nobody waits for is a violation of its seed, told with its stack and made smaller', () => {
  const tree = new SourceTree()
  try {
    const file = 'packages/engine/src/writer/writer.ts'
    const find = "    this.#rotating = false\n    if (outcome !== 'durable') return outcome\n"
    const put = `${find}    void Promise.reject(new RangeError('nobody waits'))\n`
    plant({ name: 'stray', what: '', patches: [{ file, find, put }], layers: [] }, tree.root)
    const { status, stdout, stderr } = runSimIn(tree.root, '--seed', '1', '--operations', '300')
    assert.equal(status, 1, stderr)
    assert.match(stdout, /^seed 1: RangeError: nobody waits\n +at .*writer\.ts/m)
    assert.match(stdout, /made smaller in \d+ runs[\s\S]*again: npm run sim -- --seed 1 --operations \d+/)
    assert.match(stdout, /\n0 passed, 1 failed\n$/)
  } finally {
    tree.remove()
  }
})

test('wrong usage is told with the way out', () => {
  for (const args of [
    ['--seed', '1', '--seeds', '1..2'],
    ['--seeds', '9'],
    ['--without', 'rain'],
    ['--minutes', '0'],
    ['--nothing'],
  ]) {
    const { status, stderr } = runSim(...args)
    assert.equal(status, 2)
    assert.match(stderr, /npm run sim -- \[--seed N/)
  }
})
