import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { EngineEvent } from '@kuji/engine'
import { open } from '@kuji/engine'
import { openIn } from '../src/open.ts'
import { copyOf, filesOf } from './support/directory.ts'
import { FaultyDisk, systemError } from './support/faulty-disk.ts'
import { render } from './support/render.ts'
import {
  alter,
  batchesOf,
  flipBit,
  forge,
  forgeSnapshot,
  segmentPath,
  snapshotPath,
} from './support/sample-log.ts'
import { lastBatch, refused, sample, segmentBytes, segmentsOf, start, typesOf } from './support/starts.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { testWorld } from './support/world.ts'

/** The cases of docs/recovery.md, by the letters that recover.ts gives to them; case H is in torn-batch.test.ts. */

test('A: an empty directory becomes a log of one segment, for its owner alone', async t => {
  const dir = join(temporaryDirectory(t), 'deep', 'data')
  const events: EngineEvent[] = []
  const kuji = await open({ dir, durability: 'sync', segmentBytes, onEvent: event => events.push(event) })
  assert.deepEqual([kuji.status().lsn, kuji.status().drawNumber, await kuji.pools()], [0, 0, []])
  assert.deepEqual(
    events.map(({ type }) => type),
    ['recovered'],
  )
  assert.equal(statSync(dir).mode & 0o777, 0o700)
  for (const name of filesOf(dir, /./)) assert.equal(statSync(join(dir, name)).mode & 0o077, 0, name)
  await kuji.close()
})

test('B: what a crash left under a temporary name is removed, with an event', async t => {
  const { directory, states, lastLsn } = await sample(t, { end: 'shutdown' })
  const leftovers = ['segment-0000000009.log.tmp', 'snapshot-0000000003.snap.tmp']
  for (const name of leftovers) writeFileSync(join(directory, name), 'half')
  const result = await start(directory)
  assert.equal(result.state, states.get(lastLsn))
  const removed = result.events.filter(({ type }) => type === 'leftover-removed')
  assert.deepEqual(
    removed.map(({ file, bytes }) => [file, bytes]).sort(),
    leftovers.map(name => [name, 4]),
  )
  assert.deepEqual(filesOf(directory, /tmp$/), [])
})

test('C: files that are not the log of this directory are refused', async t => {
  const { directory } = await sample(t)
  const other = await sample(t, { seed: 2 })
  const rows: [what: string, damage: (dir: string) => void, message: RegExp][] = [
    [
      'the first is missing',
      dir => rmSync(segmentPath(dir, 1)),
      /no good snapshot, and the log begins with segment 2/,
    ],
    ['one in the middle is missing', dir => rmSync(segmentPath(dir, 2)), /gap: segment 2 is missing/],
    [
      'one twice',
      dir => copyFileSync(segmentPath(dir, 2), segmentPath(dir, 3)),
      /segment 2 under the name of 3/,
    ],
    [
      'one under the next number',
      dir => copyFileSync(segmentPath(dir, 2), segmentPath(dir, segmentsOf(dir).at(-1)! + 1)),
      /segment 2 under the name/,
    ],
    [
      'two swapped',
      dir => {
        renameSync(segmentPath(dir, 2), join(dir, 'x'))
        renameSync(segmentPath(dir, 3), segmentPath(dir, 2))
        renameSync(join(dir, 'x'), segmentPath(dir, 3))
      },
      /segment 3 under the name of 2/,
    ],
    [
      'one of another directory',
      dir => copyFileSync(segmentPath(other.directory, 2), segmentPath(dir, 2)),
      /another data directory/,
    ],
    [
      'the first of another directory',
      dir => copyFileSync(segmentPath(other.directory, 1), segmentPath(dir, 1)),
      /another data directory/,
    ],
    ['cut short', dir => truncateSync(segmentPath(dir, 2), 4000), /4000 bytes, and its header says 4096/],
    ['cut to nothing', dir => truncateSync(segmentPath(dir, 2), 0), /0 bytes, too short/],
    ['cut within its header', dir => truncateSync(segmentPath(dir, 4), 63), /63 bytes, too short/],
    ['grown', dir => truncateSync(segmentPath(dir, 1), 8192), /8192 bytes, and its header says 4096/],
    ['not a log file', dir => writeFileSync(segmentPath(dir, 2), 'x'.repeat(4096)), /not a kuji log file/],
    ['a header with a wrong bit', dir => flipBit(segmentPath(dir, 2), 8 * 35), /damaged header/],
    [
      'of a newer format',
      dir => alter(segmentPath(dir, 1), bytes => void bytes.writeUInt32LE(2, 8)),
      /format version 2; this kuji reads version 1/,
    ],
    [
      'all missing but a snapshot',
      dir => {
        for (const number of segmentsOf(dir)) rmSync(segmentPath(dir, number))
        writeFileSync(snapshotPath(dir, 2), 'snapshot')
      },
      /holds snapshots but no log/,
    ],
  ]
  for (const [index, [what, damage, message]] of rows.entries()) {
    const dir = copyOf(directory, `${directory}-${index}`)
    damage(dir)
    assert.match((await refused(dir)).message, message, what)
  }
})

test('D: a bad snapshot is passed over, with a warning, for the one before it and a longer replay', async t => {
  const { directory, states, lastLsn } = await sample(t, { snapshots: true, end: 'shutdown' })
  const other = await sample(t, { snapshots: true, seed: 2 })
  const [older, newest] = filesOf(directory, /^snapshot/).map(name => Number(name.slice(9, 19))) as [
    number,
    number,
  ]
  assert.ok(!existsSync(segmentPath(directory, 1)), 'the log does not reach back to its beginning')
  const rows: [what: string, damage: (dir: string, path: string) => void, message: RegExp][] = [
    ['a wrong bit', (_, path) => flipBit(path, 8 * 100 + 3), /digest does not match/],
    ['cut short', (_, path) => truncateSync(path, 90), /digest does not match/],
    ['cut to nothing', (_, path) => truncateSync(path, 0), /too short/],
    [
      'of another directory',
      (_, path) => copyFileSync(snapshotPath(other.directory, newest), path),
      /another data directory/,
    ],
    ['of another shard', (_, path) => forgeSnapshot(path, body => body.writeUInt32LE(1, 12)), /or shard/],
    ['misnamed', (dir, path) => copyFileSync(snapshotPath(dir, older), path), /misnamed/],
    [
      'of a newer format',
      (_, path) => alter(path, bytes => void bytes.writeUInt32LE(3, 8)),
      /format version 3; this kuji reads versions up to 2/,
    ],
    ['not a snapshot', (_, path) => writeFileSync(path, 'x'.repeat(500)), /not a kuji snapshot/],
    ['missing', (_, path) => rmSync(path), /^$/],
  ]
  for (const [index, [what, damage, message]] of rows.entries()) {
    const dir = copyOf(directory, `${directory}-${index}`)
    damage(dir, snapshotPath(dir, newest))
    const result = await start(dir)
    assert.equal(result.state, states.get(lastLsn), what)
    const warnings = result.events.filter(({ type }) => type === 'snapshot-refused')
    assert.equal(warnings.length, what === 'missing' ? 0 : 1, what)
    if (warnings.length > 0) assert.match(warnings[0]!.message, message, what)

    const both = copyOf(directory, `${directory}-both-${index}`)
    damage(both, snapshotPath(both, newest))
    rmSync(snapshotPath(both, older))
    assert.match((await refused(both)).message, /no good snapshot, and the log begins with segment/, what)
  }
  const dir = copyOf(directory, `${directory}-gone`)
  for (const number of segmentsOf(dir)) if (number <= newest) rmSync(segmentPath(dir, number))
  assert.equal(
    (await start(dir)).state,
    states.get(lastLsn),
    'the newest snapshot and the log behind it are enough',
  )
})

test('D: a snapshot that the disk does not give is passed over like a bad one, unless that may pass', async t => {
  const { directory, states, lastLsn } = await sample(t, { snapshots: true, end: 'shutdown' })
  const newest = filesOf(directory, /^snapshot/).at(-1)!
  const meet = (error: Error): FaultyDisk =>
    new FaultyDisk(({ operation, name }) => (operation === 'read' && name === newest ? { error } : undefined))
  const passing = openIn(
    { dir: directory, durability: 'os', segmentBytes, onEvent: () => undefined },
    testWorld(meet(systemError('EMFILE'))),
  )
  await assert.rejects(passing, { code: 'EMFILE' })
  // The second is what Node says of a file that it cannot hold.
  for (const error of [systemError('EIO'), new RangeError('Array buffer allocation failed')]) {
    const dir = copyOf(directory, `${directory}-${error.name}`)
    const result = await start(dir, meet(error))
    assert.equal(result.state, states.get(lastLsn))
    const [warning] = result.events.filter(({ type }) => type === 'snapshot-refused')
    assert.match(warning!.message, /cannot be read: .*; trying the snapshot before it/)
  }
})

test('D: where the disk gives no snapshot at all, its error ends the start: that is no damage', async t => {
  const { directory, states, lastLsn } = await sample(t, { snapshots: true, end: 'shutdown' })
  const disk = new FaultyDisk(({ operation, name }) =>
    operation === 'read' && name.startsWith('snapshot') ? { error: systemError('EIO') } : undefined,
  )
  await assert.rejects(start(directory, disk), { code: 'EIO' })
  assert.equal((await start(directory)).state, states.get(lastLsn))
  assert.deepEqual(filesOf(directory, /broken$/), [])
})

test('D: a bad snapshot is not counted among the two that are kept', async t => {
  for (const damage of [
    (path: string) => flipBit(path, 8 * 100),
    (path: string, other: string) => copyFileSync(other, path),
  ]) {
    const { directory } = await sample(t, { snapshots: true })
    const other = await sample(t, { snapshots: true, seed: 2 })
    const newest = (): string => filesOf(directory, /^snapshot-\d+\.snap$/).at(-1)!
    damage(join(directory, newest()), join(other.directory, newest()))
    const events: string[] = []
    const onEvent = ({ type }: EngineEvent): number => events.push(type)
    const kuji = await openIn({ dir: directory, durability: 'os', segmentBytes, onEvent }, testWorld())
    while (!events.includes('snapshot-written')) await kuji.drawMany('p', 500)
    const state = render(await kuji.pool('p'))
    await kuji.close()
    assert.ok(!events.includes('helper-failed'))
    assert.equal(filesOf(directory, /^snapshot-\d+\.snap$/).length, 2)
    flipBit(join(directory, newest()), 8 * 100)
    const result = await start(directory)
    assert.equal(result.state, state)
    assert.equal(typesOf(result).filter(type => type === 'snapshot-refused').length, 1)
  }
})

test('D: a log that ends before a good snapshot is refused, for draw numbers would be given again', async t => {
  const { directory } = await sample(t, { snapshots: true, end: 'shutdown' })
  const newest = filesOf(directory, /^snapshot/).map(name => Number(name.slice(9, 19)))[1]!
  for (const number of segmentsOf(directory)) if (number > newest) rmSync(segmentPath(directory, number))
  // With its last batches gone too, the last file that is left does not tell that there was a next one.
  const { offset } = batchesOf(directory, newest).at(-2)!
  alter(segmentPath(directory, newest), bytes => void bytes.fill(0, offset))
  assert.match(
    (await refused(directory)).message,
    /stands at LSN \d+, yet the log ends with .*: files are missing/,
  )
})

test('E: after a file that was ended in order comes the next one, be it empty, and never none', async t => {
  const { directory, states } = await sample(t)
  const first = batchesOf(directory, 1)
  assert.deepEqual(first.at(-1)!.kinds, ['seal'])
  // As after a crash between that seal and the first batch behind it.
  const empty = copyOf(directory, `${directory}-empty`)
  for (const number of segmentsOf(empty)) if (number > 2) rmSync(segmentPath(empty, number))
  alter(segmentPath(empty, 2), bytes => bytes.fill(0, 64))
  assert.equal((await start(empty)).state, states.get(first.at(-2)!.lsn))
  assert.equal((await start(empty)).drawNumber, (await start(empty)).drawNumber - 1)
  const none = copyOf(directory, `${directory}-none`)
  for (const number of segmentsOf(none)) if (number > 1) rmSync(segmentPath(none, number))
  assert.match(
    (await refused(none)).message,
    /ended in order, so segment-0000000002.log existed, and it is missing/,
  )
})

test('F: a damaged batch with a whole one behind it is refused, with file, offset and LSNs', async t => {
  const { directory, lastLsn } = await sample(t)
  let trial = 0
  for (const number of segmentsOf(directory)) {
    for (const [index, batch] of batchesOf(directory, number).entries()) {
      if (batch.lsn === lastLsn) continue
      const dir = copyOf(directory, `${directory}-${trial}`)
      const at = [4, 0, 9, 40, 72, batch.length - 1][trial++ % 6]!
      flipBit(segmentPath(dir, number), 8 * (batch.offset + at) + (trial % 8))
      const error = await refused(dir)
      assert.deepEqual(
        error.fields,
        { file: segmentPath(dir, number), offset: batch.offset, firstLsn: batch.lsn, lastLsn: batch.lsn },
        `batch ${index} of segment ${number}, byte ${at}`,
      )
      assert.match(error.message, /Nothing was changed/)
    }
  }
})

test('F: several damaged batches are refused with the whole range of LSNs', async t => {
  const { directory, lastLsn } = await sample(t)
  const second = batchesOf(directory, 2)
  alter(segmentPath(directory, 2), bytes => bytes.fill(0xff, second[2]!.offset))
  const error = await refused(directory)
  const next = batchesOf(directory, 3)[0]!.lsn
  assert.deepEqual(error.fields, {
    file: segmentPath(directory, 2),
    offset: second[2]!.offset,
    firstLsn: second[2]!.lsn,
    lastLsn: next - 1,
  })
  assert.ok(next < lastLsn)
})

test('F: damage to the last answered batch is told from a torn one by the seal of an idle log', async t => {
  const { directory } = await sample(t, { end: 'idle' })
  const { path, batches } = lastBatch(directory)
  const [answered, seal] = batches.slice(-2) as [(typeof batches)[0], (typeof batches)[0]]
  assert.deepEqual([answered.kinds, seal.kinds], [['draws'], ['seal']])
  for (let bit = 0; bit < answered.length * 8; bit += 97) {
    const dir = copyOf(directory, `${directory}-${bit}`)
    flipBit(path.replace(directory, dir), answered.offset * 8 + bit)
    assert.equal((await refused(dir)).fields.firstLsn, answered.lsn)
    rmSync(dir, { recursive: true })
  }
})

test('F: an absurd length is no reason to allocate, nor to look beyond the end', async t => {
  const { directory, states, lastLsn } = await sample(t)
  const { batch, batches, number } = lastBatch(directory)
  for (const [index, length] of [0xffffffff, 0x7ffffff8, 80 * 1024 * 1024, 8, 71, 73, 4096].entries()) {
    const last = copyOf(directory, `${directory}-last-${index}`)
    alter(segmentPath(last, number), bytes => void bytes.writeUInt32LE(length, batch.offset + 4))
    const result = await start(last)
    assert.equal(result.state, states.get(lastLsn - 1), `length ${length}`)
    assert.ok(typesOf(result).includes('torn-batch-cut'))
    const middle = copyOf(directory, `${directory}-middle-${index}`)
    alter(segmentPath(middle, number), bytes => void bytes.writeUInt32LE(length, batches.at(-2)!.offset + 4))
    assert.equal((await refused(middle)).fields.offset, batches.at(-2)!.offset)
  }
})

test('G: a log that was sealed at shutdown is opened without a write', async t => {
  const { directory, states, lastLsn } = await sample(t, { end: 'shutdown' })
  assert.deepEqual(lastBatch(directory).batch.kinds, ['seal'])
  const disk = new FaultyDisk(({ operation, name }) => {
    const changes = ['create', 'rename', 'remove', 'write'].includes(operation)
    if (changes && name.startsWith(segmentPath('', lastBatch(directory).number).slice(0, 20)))
      assert.fail(`${operation} ${name}`)
    return undefined
  })
  const kuji = await openIn({ dir: directory, durability: 'os', segmentBytes }, testWorld(disk))
  assert.equal(render(await kuji.pool('p')), states.get(lastLsn))
  await kuji.close()
})

test('replay: a batch with a right CRC that does not follow on, or makes no sense, is refused', async t => {
  const { directory } = await sample(t)
  const { number, batch } = lastBatch(directory)
  const rows: [what: string, change: (content: Buffer) => void, message: RegExp][] = [
    ['another LSN', content => content.writeBigUInt64LE(BigInt(batch.lsn + 1), 8), /LSN \d+ follows LSN/],
    [
      'a draw number left out',
      content => content.writeBigUInt64LE(BigInt(batch.firstDraw + 1), 16),
      /first draw is/,
    ],
    ['a time before', content => content.writeBigUInt64LE(1n, 24), /time runs back/],
    ['an epoch before', content => content.writeUInt32LE(0, 32), /epoch 0 after epoch 1/],
    ['another history', content => content.writeUInt8(content[40]! ^ 1, 40), /hash chain/],
    ['a record too many', content => content.writeUInt32LE(2, 36), /draws|cut off|record|kind/],
    ['no record', content => content.writeUInt32LE(0, 36), /after the last record/],
    ['a kind not known', content => content.writeUInt8(99, 72), /kind 99.*does not know/],
    ['outcomes of three bytes', content => content.writeUInt8(3, 73), /3 bytes an outcome/],
    ['no such pool', content => content.writeUInt32LE(7, 76), /pool number 7 does not exist/],
    ['more draws than there are', content => content.writeUInt32LE(99_999, 80), /99999 draws/],
    ['no such item', content => content.writeUInt8(2, 84), /item 2 of 2 in pool "p"/],
    [
      'I: more of an item than its stock',
      content => content.fill(0, 84, 94),
      /gave more of "rare" than its stock/,
    ],
  ]
  for (const [index, [what, change, message]] of rows.entries()) {
    const dir = copyOf(directory, `${directory}-${index}`)
    forge(segmentPath(dir, number), batch, change)
    assert.match((await refused(dir)).message, message, what)
  }
})

test('replay: a seal whose state hash is not that of the replayed state is refused', async t => {
  const { directory } = await sample(t, { end: 'idle' })
  const { path, batch } = lastBatch(directory)
  assert.deepEqual(batch.kinds, ['seal'])
  forge(path, batch, content => content.writeUInt32LE((content.readUInt32LE(76) ^ 1) >>> 0, 76))
  assert.match((await refused(directory)).message, /state hash [0-9a-f]{8}, the writer had [0-9a-f]{8}/)
})

test('other files, directories and old copies beside the log are left alone', async t => {
  const { directory, states, lastLsn } = await sample(t, { end: 'shutdown' })
  mkdirSync(join(directory, 'segment-0000000007.log.d'))
  const names = [
    'README',
    'segment-1.log',
    'segment-0000000002.log.bak',
    'snapshot-1.snap',
    'segment-0000000001.log.64.broken',
  ]
  for (const name of names) writeFileSync(join(directory, name), 'x')
  chmodSync(join(directory, 'README'), 0o400)
  assert.equal((await start(directory)).state, states.get(lastLsn))
  for (const name of names) assert.equal(readFileSync(join(directory, name), 'utf8'), 'x')
})
