import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { EngineEvent, Kuji } from '@kuji/engine'
import { KujiError, limits, open } from '@kuji/engine'
import { NodeDisk } from '../src/disk/node-disk.ts'
import { blockingCalls, pooledCalls } from '../src/disk/system-calls.ts'
import { ThreadAppender } from '../src/log/thread-appender.ts'
import { openIn } from '../src/open.ts'
import { codeOf, refusalOf } from './support/codes.ts'
import { fingerprint } from './support/directory.ts'
import { eventually } from './support/eventually.ts'
import type { Call, Intercept } from './support/faulty-disk.ts'
import { FaultyDisk, systemError } from './support/faulty-disk.ts'
import { gate } from './support/gate.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { testWorld } from './support/world.ts'

const segmentBytes = 4096
const endless = { id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] } as const

const isAppend = ({ operation, name }: Call): boolean =>
  operation === 'write' && /^segment-\d+\.log$/.test(name)
const isPreparation = ({ operation, name }: Call): boolean =>
  operation === 'create' && /^segment-\d+\.log\.tmp$/.test(name)

interface Faulty {
  kuji: Kuji
  events: EngineEvent[]
  /** Decides about every call from here on. */
  meet: (intercept: Intercept) => void
  disk: FaultyDisk
  /** What has waited for time to pass runs now. */
  passTime: () => void
}

async function openFaulty(dir: string): Promise<Faulty> {
  let decide: Intercept = () => undefined
  const disk = new FaultyDisk(call => decide(call))
  const events: EngineEvent[] = []
  const onEvent = (event: EngineEvent): number => events.push(event)
  const world = testWorld(disk)
  const kuji = await openIn({ dir, durability: 'sync', segmentBytes, onEvent }, world)
  await kuji.putPool(endless)
  return {
    kuji,
    events,
    disk,
    passTime: world.passTime,
    meet: fault => {
      decide = fault
    },
  }
}

test('a failed write ends the writer: OUTCOME_UNKNOWN, then INTERNAL, and nothing is tried again', async t => {
  const dir = temporaryDirectory(t)
  const { kuji, events, meet, disk } = await openFaulty(dir)
  await kuji.draw('p')
  const written: Buffer[] = []
  const writing = gate()
  meet(async call => {
    if (!isAppend(call)) return undefined
    written.push(Buffer.from(call.bytes!))
    await writing.pass()
    return { error: systemError('EIO') }
  })
  const inFlight = refusalOf('OUTCOME_UNKNOWN', kuji.draw('p'))
  await writing.reached
  const decidedMeanwhile = codeOf(kuji.drawMany('p', 3))
  await new Promise(setImmediate)
  writing.open()
  assert.match((await inFlight).message, /EIO/)
  assert.equal(await decidedMeanwhile, 'INTERNAL')
  for (const call of [
    kuji.draw('p'),
    kuji.pool('p'),
    kuji.pools(),
    kuji.putPool(endless),
    kuji.pausePool('p'),
  ])
    assert.equal(await codeOf(call), 'INTERNAL', 'nor may it be read: the state has gone ahead of the log')
  assert.equal((await kuji.failed).code, 'OUTCOME_UNKNOWN')
  assert.deepEqual([kuji.status().state, kuji.status().drawNumber], ['failed', 1])
  assert.deepEqual(
    events.filter(({ level }) => level === 'error').map(({ type }) => type),
    ['log-failed'],
  )
  await kuji.close()
  assert.equal(written.length, 1, 'no second write, not even a seal')
  assert.equal(kuji.status().state, 'failed')
  await disk.abandon()
})

/** What a failed device may have left of a write that was never answered, and what the next start makes of it. */
const remains: [what: string, most: number | undefined, drawn: number][] = [
  ['nothing', 0, 1],
  ['half of it', 40, 1],
  ['all of it, in the page cache', undefined, 4],
]

for (const [what, most, drawn] of remains) {
  test(`after EIO the next start rewrites and syncs the end of the log; the device had ${what}`, async t => {
    const dir = temporaryDirectory(t)
    const { kuji, meet, disk } = await openFaulty(dir)
    await kuji.draw('p')
    meet(call =>
      isAppend(call) ? { most: most ?? call.bytes!.length, error: systemError('EIO') } : undefined,
    )
    assert.equal(await codeOf(kuji.draw('p', { count: 3 })), 'OUTCOME_UNKNOWN')
    await kuji.close()
    await disk.abandon()
    const calls: string[] = []
    const recording = new FaultyDisk(({ operation, name }) => {
      calls.push(`${operation} ${name}`)
      return undefined
    })
    const again = await openIn({ dir, durability: 'sync', segmentBytes }, testWorld(recording))
    assert.equal(again.status().drawNumber, drawn)
    const at = (call: string): number => calls.indexOf(call)
    const steps = [
      'create segment-0000000001.log.tmp',
      'write segment-0000000001.log.tmp',
      'sync segment-0000000001.log.tmp',
      'rename segment-0000000001.log',
      'open segment-0000000001.log',
    ]
    for (const [index, step] of steps.entries())
      assert.ok(at(step) >= 0 && (index === 0 || at(step) > at(steps[index - 1]!)), `${step} in its place`)
    assert.equal((await again.draw('p')).id, drawn + 1)
    await again.close()
  })
}

test('short writes go on with the remainder', async t => {
  const dir = temporaryDirectory(t)
  const { kuji, meet } = await openFaulty(dir)
  let writes = 0
  meet(call => (call.operation === 'write' ? { most: 1 + (writes++ % 13) } : undefined))
  for (let k = 0; k < 20; k++) await kuji.draw('p', { count: 100 })
  await kuji.close()
  assert.ok(writes > 300)
  const again = await open({ dir, segmentBytes })
  assert.equal(again.status().drawNumber, 2000)
  await again.close()
})

test('a write that makes no progress is an error', async t => {
  const { kuji, meet, disk } = await openFaulty(temporaryDirectory(t))
  let writes = 0
  meet(call => (isAppend(call) ? { most: writes++ === 0 ? 16 : 0 } : undefined))
  const { message } = await refusalOf('OUTCOME_UNKNOWN', kuji.draw('p'))
  assert.match(message, /no progress after 16 of 96 bytes/)
  assert.equal(writes, 2)
  await kuji.close()
  await disk.abandon()
})

test('the log thread tells of a write that failed, and of a device that is full', async () => {
  const disk = new NodeDisk(blockingCalls)
  const batch = new Uint8Array(new SharedArrayBuffer(96))
  for (const [path, code] of [['/dev/full', 'ENOSPC']] as const) {
    const appender = new ThreadAppender(new Uint8Array(32))
    const file = await disk.open(path, { dataSync: false })
    await assert.rejects(appender.append(file, 1, batch, 0), { code })
    await appender.close()
    await file.close()
  }
})

async function drawUntilRefused(kuji: Kuji): Promise<KujiError> {
  for (let k = 0; k < 1000; k++) {
    const answer = await kuji.draw('p', { count: 500 }).catch((error: unknown) => error)
    if (answer instanceof KujiError) return answer
  }
  assert.fail('never refused')
}

for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE']) {
  test(`no room for the next log file (${code}): an alarm, then READ_ONLY, and back by itself`, async t => {
    const dir = temporaryDirectory(t)
    const { kuji, meet, events, passTime } = await openFaulty(dir)
    meet(call => (isPreparation(call) ? { error: systemError(code) } : undefined))
    const alarms = (): string[] =>
      events.filter(({ type }) => type.startsWith('disk-')).map(({ type }) => type)
    while (alarms().length === 0) await kuji.draw('p', { count: 500 })
    // The file that the log has just gone over to has room.
    const { id } = await kuji.draw('p', { count: 500 })
    assert.equal(kuji.status().state, 'read-only')
    assert.match(kuji.status().reason!, new RegExp(code))
    const refusal = await drawUntilRefused(kuji)
    assert.equal(refusal.code, 'READ_ONLY')
    const full = await kuji.pool('p')
    assert.ok(full.drawn >= id + 499)
    for (const call of [
      kuji.drawMany('p', 500),
      kuji.putPool({ ...endless, id: 'q', metadata: 'x'.repeat(900) }),
    ])
      assert.equal(await codeOf(call), 'READ_ONLY')
    assert.deepEqual(await kuji.pool('p'), full, 'a refusal changes nothing, and reads go on')
    assert.equal(kuji.status().drawNumber, full.drawn)
    assert.deepEqual(alarms(), ['disk-full'], 'one alarm')
    meet(() => undefined)
    passTime()
    await eventually(() => kuji.status().state === 'open')
    assert.equal((await kuji.draw('p', { count: 500 })).id, full.drawn + 1)
    assert.deepEqual(alarms(), ['disk-full', 'disk-room'])
    await kuji.close()
    const again = await open({ dir, segmentBytes })
    assert.equal(again.status().drawNumber, full.drawn + 500)
    await again.close()
  })
}

test('changes that were refused for lack of room take none of what may wait', async t => {
  const { kuji, meet } = await openFaulty(temporaryDirectory(t))
  meet(call => (isPreparation(call) ? { error: systemError('ENOSPC') } : undefined))
  await drawUntilRefused(kuji)
  const metadata = 'x'.repeat(limits.metadataBytes - 2)
  const items = Array.from({ length: 5000 }, (_, k) => ({ ...endless.items[0], id: `i${k}`, metadata }))
  const bytes = items.length * limits.metadataBytes * 3
  for (let refused = 0; refused <= limits.queueBytes; refused += bytes - 1024 * 1024)
    assert.equal(await codeOf(kuji.putPool({ id: 'q', items })), 'READ_ONLY')
  await kuji.close()
})

test('closing while there is no room keeps everything that was answered', async t => {
  const dir = temporaryDirectory(t)
  const { kuji, meet } = await openFaulty(dir)
  meet(call => (isPreparation(call) ? { error: systemError('ENOSPC') } : undefined))
  await drawUntilRefused(kuji)
  const { drawNumber } = kuji.status()
  const refused = kuji.draw('p', { count: 500 })
  const closed = kuji.close()
  assert.equal(await codeOf(refused), 'READ_ONLY')
  await closed
  const again = await open({ dir, segmentBytes })
  assert.equal(again.status().drawNumber, drawNumber)
  await again.close()
})

for (const code of ['EACCES', 'EROFS', 'ENOSPC', 'EMFILE', 'EIO']) {
  for (const operation of ['makeDirectory', 'lock', 'list', 'create', 'write', 'sync', 'rename'] as const) {
    test(`${code} on ${operation} at the start is told as it is, and the directory is let go`, async t => {
      const dir = join(temporaryDirectory(t), 'data')
      let armed = true
      const disk = new FaultyDisk(call =>
        armed && call.operation === operation ? { error: systemError(code) } : undefined,
      )
      await assert.rejects(openIn({ dir, segmentBytes }, testWorld(disk)), { code })
      armed = false
      const kuji = await openIn({ dir, segmentBytes }, testWorld(disk))
      await kuji.putPool(endless)
      assert.equal((await kuji.draw('p')).id, 1)
      await kuji.close()
    })
  }
}

test('a file that cannot be read is named', async t => {
  const directory = temporaryDirectory(t)
  for (const calls of [blockingCalls, pooledCalls])
    await assert.rejects(new NodeDisk(calls).read(directory), {
      code: 'EISDIR',
      message: new RegExp(directory),
    })
})

test('a file in the place of the directory is refused', async t => {
  const dir = join(temporaryDirectory(t), 'data')
  writeFileSync(dir, 'not a directory')
  assert.match(
    (await refusalOf('INVALID', open({ dir, segmentBytes }))).message,
    /dir: cannot be a directory: EEXIST/,
  )
})

test('a path that no directory can be made at is refused', { skip: !existsSync('/proc/self') }, async () => {
  const { message } = await refusalOf('INVALID', open({ dir: '/proc/self/kuji', segmentBytes }))
  assert.match(message, /dir: cannot be a directory: ENOENT/)
})

test('a directory that others may enter is warned about', async t => {
  const dir = join(temporaryDirectory(t), 'data')
  mkdirSync(dir)
  chmodSync(dir, 0o755)
  const events: string[] = []
  const kuji = await open({
    dir,
    durability: 'os',
    onEvent: event => events.push(`${event.level} ${event.type}`),
  })
  await kuji.close()
  assert.ok(events.includes('warn open-to-others'))
  const own = join(temporaryDirectory(t), 'own')
  const quiet: string[] = []
  await (
    await open({ dir: own, durability: 'os', segmentBytes, onEvent: event => quiet.push(event.type) })
  ).close()
  assert.deepEqual(quiet, ['recovered'], 'one that kuji has made is for its owner alone')
  assert.ok(Object.keys(fingerprint(own)).length > 0)
})

test('a failed seal at shutdown is told: the status is failed, and nothing answered is lost', async t => {
  const dir = temporaryDirectory(t)
  const { kuji, meet } = await openFaulty(dir)
  const { id } = await kuji.draw('p')
  meet(call => (isAppend(call) ? { error: systemError('EIO') } : undefined))
  await kuji.close()
  assert.equal(kuji.status().state, 'failed')
  assert.equal((await kuji.failed).code, 'OUTCOME_UNKNOWN')
  const again = await open({ dir, durability: 'sync', segmentBytes, onEvent: () => undefined })
  assert.equal((await again.draw('p')).id, id + 1)
  await again.close()
})

test('a listener that throws does not keep a failure from those who wait', async t => {
  const warnings: string[] = []
  const note = ({ message }: Error): number => warnings.push(message)
  process.on('warning', note)
  t.after(() => process.off('warning', note))
  let fail = false
  const disk = new FaultyDisk(call => (fail && isAppend(call) ? { error: systemError('EIO') } : undefined))
  const onEvent = (): never => {
    throw new Error('the listener')
  }
  const options = { dir: temporaryDirectory(t), durability: 'sync', segmentBytes, onEvent } as const
  const kuji = await openIn(options, testWorld(disk))
  await kuji.putPool(endless)
  fail = true
  assert.equal(await codeOf(kuji.draw('p')), 'OUTCOME_UNKNOWN')
  await kuji.close()
  await eventually(() => warnings.includes('the listener'))
})

test('a listener that rejects is warned of like one that throws', async t => {
  const warnings: string[] = []
  const note = ({ message }: Error): number => warnings.push(message)
  process.on('warning', note)
  t.after(() => process.off('warning', note))
  const kuji = await openIn(
    {
      dir: temporaryDirectory(t),
      durability: 'os',
      segmentBytes,
      onEvent: async () => {
        throw new Error('the listener of events')
      },
      onBatch: () => Promise.reject(new Error('the listener of batches')),
    },
    testWorld(),
  )
  await kuji.putPool(endless)
  await kuji.close()
  await eventually(() => ['events', 'batches'].every(what => warnings.includes(`the listener of ${what}`)))
})

test('a sink that throws keeps nobody else from an answer, and is warned of', async t => {
  const warnings: string[] = []
  const note = ({ message }: Error): number => warnings.push(message)
  process.on('warning', note)
  t.after(() => process.off('warning', note))
  const kuji = await openIn({ dir: temporaryDirectory(t), durability: 'os', segmentBytes }, testWorld())
  await kuji.putPool(endless)
  const sink = {
    answer(token: number): void {
      throw new Error(`the sink of ${token}`)
    },
  }
  kuji.drawTo(sink, 1, 'p')
  const beside = kuji.draw('p')
  kuji.drawTo(sink, 2, 'p', { count: 0 })
  assert.equal((await beside).id, 2)
  assert.equal((await kuji.draw('p')).id, 3)
  await kuji.close()
  kuji.drawTo(sink, 3, 'p')
  await eventually(() => [1, 2, 3].every(token => warnings.includes(`the sink of ${token}`)))
})
