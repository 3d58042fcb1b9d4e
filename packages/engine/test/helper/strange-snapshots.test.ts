import assert from 'node:assert/strict'
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import type { EngineEvent } from '@kuji/engine'
import type { Disk } from '../../src/disk/disk.ts'
import { openIn } from '../../src/open.ts'
import { copyOf, filesOf } from '../support/directory.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { render } from '../support/render.ts'
import { flipBit, segmentPath, snapshotPath } from '../support/sample-log.ts'
import { refused, sample, segmentBytes, segmentsOf, start } from '../support/starts.ts'
import { testWorld } from '../support/world.ts'

/** What the helper makes of snapshots that it has not written, and of those that it needs and are gone. */

interface Life {
  readonly state: string
  readonly events: readonly EngineEvent[]
}

/** Opens, draws over some files of the log, and closes. `opened` comes before the first draw. */
async function drawOn(dir: string, opened = (): void => undefined, disk?: Disk): Promise<Life> {
  const events: EngineEvent[] = []
  const onEvent = (event: EngineEvent): number => events.push(event)
  const kuji = await openIn({ dir, durability: 'os', segmentBytes, onEvent }, testWorld(disk))
  opened()
  const last = segmentsOf(dir).at(-1)!
  while (segmentsOf(dir).at(-1)! < last + 4) await kuji.drawMany('p', 500)
  const state = render(await kuji.pool('p'))
  await kuji.close()
  return { state, events }
}

const snapshotsOf = (dir: string): string[] => filesOf(dir, /^snapshot-\d+\.snap$/)

test('bad snapshots with numbers ahead of the log are put aside, and no log file goes for them', async t => {
  const { directory } = await sample(t, { snapshots: true, end: 'shutdown' })
  const other = await sample(t, { snapshots: true, seed: 2 })
  copyFileSync(join(other.directory, snapshotsOf(other.directory)[0]!), snapshotPath(directory, 90))
  writeFileSync(snapshotPath(directory, 91), 'not a snapshot')
  const { state, events } = await drawOn(directory)
  assert.equal((await start(directory)).state, state)
  assert.deepEqual(
    events
      .filter(({ type }) => type === 'snapshot-refused' || type === 'helper-failed')
      .map(({ type }) => type),
    ['snapshot-refused', 'snapshot-refused'],
  )
  const putAside = [90, 91].map(number => basename(`${snapshotPath(directory, number)}.broken`))
  assert.deepEqual(filesOf(directory, /\.broken$/), putAside)
  assert.equal(snapshotsOf(directory).length, 2)
})

test('what the helper needs and does not find is told by name, and draws go on', async t => {
  const { directory } = await sample(t, { snapshots: true, end: 'shutdown' })
  const [older, newest] = snapshotsOf(directory).map(name => Number(name.slice(9, 19))) as [number, number]
  const removeUpTo = (dir: string, last: number): void => {
    for (const number of segmentsOf(dir)) if (number <= last) rmSync(segmentPath(dir, number))
  }
  const rows: [what: string, damage: (dir: string) => void, message: RegExp][] = [
    [
      'no snapshot is left',
      dir => {
        flipBit(snapshotPath(dir, newest), 800)
        rmSync(snapshotPath(dir, older))
      },
      /: no good snapshot is left, and the log begins with segment \d+; draws go on/,
    ],
    [
      'the snapshot before the newest is one that the log no longer reaches back to',
      dir => {
        flipBit(snapshotPath(dir, newest), 800)
        removeUpTo(dir, newest)
      },
      /: no good snapshot is left, and the log begins with segment \d+; draws go on/,
    ],
    [
      'a file of the log is gone',
      dir => rmSync(segmentPath(dir, newest + 1)),
      /segment-\d+\.log: it is missing; draws go on, and snapshots wait until the next start/,
    ],
  ]
  for (const [index, [what, damage, message]] of rows.entries()) {
    const dir = copyOf(directory, `${directory}-${index}`)
    const { events } = await drawOn(dir, () => damage(dir))
    const [failure, ...others] = events.filter(({ type }) => type === 'helper-failed')
    assert.match(failure!.message, message, what)
    assert.equal(others.length, 0, what)
    assert.match((await refused(dir)).message, /no good snapshot|segment \d+ is missing/, what)
  }
})

test('where the disk gives none of the snapshots, the helper tells of the disk, not of a lost log', async t => {
  const { directory } = await sample(t, { snapshots: true, end: 'shutdown' })
  let failing = false
  const disk = new FaultyDisk(({ operation, name }) =>
    failing && operation === 'read' && name.startsWith('snapshot')
      ? { error: systemError('EIO') }
      : undefined,
  )
  const fail = (): void => {
    failing = true
  }
  const { state, events } = await drawOn(directory, fail, disk)
  const [failure, ...others] = events.filter(({ type }) => type === 'helper-failed')
  assert.match(
    failure!.message,
    /^EIO: .*; draws go on, and snapshots wait until the next file of the log is full$/,
  )
  assert.equal(others.length, 0)
  assert.deepEqual(filesOf(directory, /\.broken$/), [])
  assert.equal((await start(directory)).state, state)
})
