import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Chance } from '../src/chance.ts'
import { LogRecord } from '../src/sim/log-record.ts'
import { Violation } from '../src/sim/model/violation.ts'
import { RecordedAppender } from '../src/sim/recorded-appender.ts'
import { Device } from '../src/sim/world/device.ts'
import { directory, QuietMachine } from '../src/sim/world/quiet-machine.ts'

const terminator = new Uint8Array(8)

/** A log of some draws with keys, by two processes, and what was written of it. */
async function record(): Promise<{ readonly record: LogRecord; readonly device: Device }> {
  const device = new Device({ sectorBytes: 512, nameOrder: 'any', chance: new Chance(1, 'test') })
  device.makeDirectory('')
  const log = new LogRecord()
  const machine = new QuietMachine({ device, appender: lastHash => new RecordedAppender(lastHash, log) })
  await machine.time.run(
    (async () => {
      for (const most of [10, 20]) {
        log.cutBehind(log.durable)
        const kuji = await machine.open({ segmentBytes: 4096, keys: { most } }, false)
        await kuji.putPool({ id: 'p', items: [{ id: 'it', weight: 1, stock: 1000 + most }] })
        for (let draw = 0; draw < 80; draw++) await kuji.draw('p', { key: `${most} ${draw}` })
        await kuji.close()
      }
    })(),
  )
  return { record: log, device }
}

test('batches that follow on from each other are taken, with the rules for keys that they hold', async () => {
  const { record: log, device } = await record()
  assert.equal(log.fault, '')
  assert.equal(log.batches.size, log.durable)
  assert.equal(log.rulesAt(1), null)
  assert.deepEqual(log.rulesAt(3), { retentionMs: 86_400_000, most: 10 })
  assert.deepEqual(log.rulesAt(log.durable), { retentionMs: 86_400_000, most: 20 })
  assert.equal(log.wholeOn(device).size, log.durable)
  log.compareFiles(device, directory)
})

test('a batch that does not follow on is told', async () => {
  const { record: log } = await record()
  const again = (lsn: number, change: (bytes: Uint8Array) => void): string => {
    const { path, position, bytes } = log.batches.get(lsn)!
    const copy = new LogRecord()
    for (const batch of log.batches.values()) if (batch.lsn < lsn) copy.batches.set(batch.lsn, batch)
    copy.cutBehind(lsn - 1)
    const written = new Uint8Array([...bytes, ...terminator])
    change(written)
    copy.add(path, position, written)
    return copy.fault
  }
  const { epoch } = log.batches.get(2)!.content
  const set = (at: number, value: number) => (bytes: Uint8Array) => void (bytes[at] = value)
  // As the first batch of another process, which is what a copy takes it for.
  const asNext = (bytes: Uint8Array): void => set(32, epoch + 1)(bytes)
  assert.equal(again(5, asNext), '')
  for (const [at, value, what] of [
    [8, 9, /the last one being 4/],
    [16, 99, /first draw 99, expected/],
    [24, 0, /time \d+, the last one's/],
    [40, 1, /the hash of another/],
  ] as const) {
    const change = (bytes: Uint8Array): void => {
      asNext(bytes)
      // A time has several bytes; all of them zero is long ago.
      if (at === 24) bytes.fill(0, 24, 32)
      else set(at, value)(bytes)
    }
    assert.match(again(5, change), what)
  }
  assert.match(
    again(5, () => undefined),
    /epoch/,
  )
})

test('files that are not what was written are told', async () => {
  const segments = (device: Device): string[] =>
    [...device.entries(directory).keys()].filter(name => name.endsWith('.log')).sort()
  const flip = (at: number) => (device: Device, name: string) =>
    device.find(`${directory}/${name}`).damage(bytes => (bytes[at]! ^= 1))
  const drop = (device: Device, name: string): void => device.remove(`${directory}/${name}`)
  for (const [place, change, what] of [
    [0, flip(200), /is not what was written/],
    [1, drop, /has batch \d+, expected \d+/],
    [-2, drop, /the files end with batch \d+, the log with \d+/],
    [-1, flip(64), /something stands in .* behind the last batch/],
  ] as const) {
    const { record: log, device } = await record()
    change(device, segments(device).at(place)!)
    const isRight = (error: Error): boolean => error instanceof Violation && what.test(error.message)
    assert.throws(() => log.compareFiles(device, directory), isRight)
  }
})
