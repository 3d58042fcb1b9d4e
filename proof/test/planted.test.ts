import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import { readSection, readTable, readText, root } from '../../test/support/repository.ts'
import { plantedBugs } from '../src/planted/bugs/index.ts'
import { plant } from '../src/planted/patch.ts'
import type { PlantedBug } from '../src/planted/planted-bug.ts'
import { SourceTree } from '../src/planted/tree.ts'

const tree = new SourceTree()
after(() => tree.remove())

/** Types alone, of the engine alone, where all bugs are. What a patch no longer uses is nobody's concern. */
const compile = [
  ...['-p', 'packages/engine/tsconfig.build.json', '--noEmit'],
  ...['--noUnusedLocals', 'false', '--noUnusedParameters', 'false'],
]

/** What no log may do, whatever else is wrong with it: the quick run looks for all of these. */
const worstOfAll = [
  ...['answer-before-write', 'answers-out-of-order', 'failed-write-tried-again-elsewhere'],
  ...['new-file-directory-not-synced', 'checksum-not-seeded', 'applied-twice', 'snapshot-before-its-log'],
  ...['key-stored-after-its-draw', 'expiry-by-wall-clock', 'stock-checked-but-not-held'],
]

test('every planted bug is a text that stands in its file once, and can be taken out again', () => {
  for (const bug of plantedBugs) {
    const before = bug.patches.map(({ file }) => readText(file))
    const takeOut = plant(bug, tree.root)
    const planted = bug.patches.map(({ file }) => tree.read(file))
    takeOut()
    for (const [place, { file }] of bug.patches.entries()) {
      assert.notEqual(planted[place], before[place], `${bug.name}: ${file}`)
      assert.equal(tree.read(file), before[place], `${bug.name}: ${file}`)
    }
  }
})

test('a text that is not there, or is there twice, is an error that names the bug and the text', () => {
  const file = 'packages/engine/src/writer/judge.ts'
  const bug = (find: string): PlantedBug => {
    const patches = [{ file, find, put: 'something else' }]
    return { name: 'wrong', what: '', patches, layers: [] }
  }
  assert.throws(
    () => plant(bug('no such text'), tree.root),
    /^Error: wrong: in .*judge\.ts .* not there.*:\nno such text$/,
  )
  assert.throws(() => plant(bug('return'), tree.root), /there more than once/)
  assert.equal(tree.read(file), readText(file))
})

test('what is planted is TypeScript still, so that layers find faults and not crashes', () => {
  // Many at a time: those whose places are the same take turns.
  for (let left = plantedBugs; left.length > 0; ) {
    const later: PlantedBug[] = []
    const takeOut: (() => void)[] = []
    for (const bug of left) {
      try {
        takeOut.push(plant(bug, tree.root))
      } catch {
        later.push(bug)
      }
    }
    const { status, stdout } = spawnSync('node_modules/.bin/tsc', compile, {
      cwd: tree.root,
      encoding: 'utf8',
    })
    for (const each of takeOut.reverse()) each()
    assert.equal(status, 0, stdout)
    assert.ok(later.length < left.length)
    left = later
  }
})

test('each bug has a name of its own and layers that are to find it; the quick run has enough of them', () => {
  assert.equal(new Set(plantedBugs.map(({ name }) => name)).size, plantedBugs.length)
  assert.ok(plantedBugs.length >= 30)
  for (const { name, what, layers, quick, tests = [] } of plantedBugs) {
    assert.match(name, /^[a-z]+(?:-[a-z]+)*$/)
    assert.ok(what !== '' && layers.length > 0, name)
    assert.ok(quick === undefined || layers.includes(quick), name)
    for (const file of tests)
      assert.ok(
        tree.has(file.startsWith('proof/') ? file : `packages/engine/test/${file}`),
        `${name}: ${file}`,
      )
  }
  const quick = plantedBugs.filter(bug => bug.quick !== undefined).map(({ name }) => name)
  assert.ok(quick.length >= 15)
  for (const name of worstOfAll) assert.ok(quick.includes(name), name)
})

test('docs/reliability.md has a row for each planted bug, and says who has found it', () => {
  const section = readSection(readText('docs/reliability.md'), '## Planted bugs')
  const rows = readTable(section)
  assert.deepEqual(
    rows.map(([name]) => name),
    plantedBugs.map(({ name }) => name),
  )
  for (const [name, what, ...rest] of rows) {
    assert.equal(what?.replaceAll('\\', ''), plantedBugs.find(bug => bug.name === name)!.what)
    assert.ok(
      rest.some(cell => /^[\d.]+ s$/.test(cell)),
      `${name}: found by nothing`,
    )
  }
  const told = section.join(' ').match(/--quick`: (\d+) bugs/)
  assert.equal(Number(told?.[1]), plantedBugs.filter(({ quick }) => quick !== undefined).length)
})

test('the command finds a bug by the layer asked for, and exits with 1 where none does', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--conditions=source', 'proof/src/planted/main.ts', ...args], {
      cwd: root,
      encoding: 'utf8',
    })
  const found = run('--only', 'batch-written-again', '--layer', 'sim', '--minutes', '2')
  assert.equal(found.status, 0, found.stderr)
  assert.match(found.stdout, /^batch-written-again +sim +[\d.]+ s {2}seed \d+: .*\n1 of 1 found\n$/)
  // The simulator never sees a wrong seal, so that not looking at it cannot be seen there either.
  const missed = run('--only', 'seal-hash-not-checked', '--layer', 'sim', '--minutes', '0.01')
  assert.equal(missed.status, 1, missed.stderr)
  assert.match(missed.stdout, /NOT FOUND\n0 of 1 found\n$/)
  for (const args of [
    ['--only', 'nothing'],
    ['--layer', 'luck'],
    ['--minutes', '0'],
  ]) {
    const { status, stderr } = run(...args)
    assert.equal(status, 2)
    assert.match(stderr, /npm run planted -- \[--only NAME/)
  }
})
