import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DiskFile } from '../../packages/engine/src/disk/disk.ts'
import { directory, ScriptedMachine } from './support/scripted-machine.ts'

const file = `${directory}/file`
const bytes = (value: number, count = 1024): Uint8Array => new Uint8Array(count).fill(value)

/** What a file reads like after a power cut, over many seeds, a digit for each sector. */
async function afterPowerCut(script: (machine: ScriptedMachine) => Promise<void>): Promise<string[]> {
  const seen = new Set<string>()
  for (let seed = 1; seed <= 200; seed++) {
    const machine = new ScriptedMachine(seed)
    machine.device.makeDirectory(directory)
    await machine.run(() => script(machine))
    machine.cutPower()
    const content = machine.device.filesBelow(directory).get('file')
    const sectors = content === undefined ? ['none'] : [...Array(Math.ceil(content.length / 512)).keys()]
    seen.add(sectors.map(sector => (typeof sector === 'string' ? sector : content![sector * 512])).join(''))
  }
  return [...seen].sort()
}

test('what was written and synced, and named and synced, is there after a power cut', async () => {
  const seen = await afterPowerCut(async machine => {
    const disk = machine.disk()
    const opened = await disk.create(file, { dataSync: false })
    await opened.write(bytes(1), 0)
    await opened.sync()
    await disk.syncDirectory(directory)
  })
  assert.deepEqual(seen, ['11'])
})

test('sectors that were not synced are there or not, each by itself', async () => {
  const seen = await afterPowerCut(async machine => {
    const disk = machine.disk()
    const opened = await disk.create(file, { dataSync: true })
    await opened.write(bytes(1), 0)
    await disk.syncDirectory(directory)
    await (await disk.open(file, { dataSync: false })).write(bytes(2), 0)
  })
  assert.deepEqual(seen, ['11', '12', '21', '22'])
})

test('a name that was not synced is there or not, whatever the file holds', async () => {
  const seen = await afterPowerCut(async machine => {
    const opened = await machine.disk().create(file, { dataSync: true })
    await opened.write(bytes(1), 0)
  })
  assert.deepEqual(seen, ['11', 'none'])
})

test('a write that fails stays in the page cache, and no later sync brings it to the device', async () => {
  const seen = await afterPowerCut(async machine => {
    const disk = machine.disk()
    const opened = await disk.create(file, { dataSync: true })
    await opened.write(bytes(1), 0)
    await disk.syncDirectory(directory)
    machine.misfortune = ({ name }) => (name.startsWith('write') ? { kind: 'error', code: 'EIO' } : null)
    await assert.rejects(opened.write(bytes(2), 0), { code: 'EIO' })
    await opened.sync()
    assert.equal((await disk.read(file))[0], 2)
  })
  assert.deepEqual(seen, ['11'])
})

test('a file that is emptied as it is opened may be as it was after a power cut, until it is synced', async () => {
  const emptied = (script: (opened: DiskFile) => Promise<unknown>): Promise<string[]> =>
    afterPowerCut(async machine => {
      const disk = machine.disk()
      await (await disk.create(file, { dataSync: true })).write(bytes(1, 2048), 0)
      await disk.syncDirectory(directory)
      await script(await disk.create(file, { dataSync: true }))
      assert.equal((await disk.read(file)).includes(1), false)
    })
  assert.deepEqual(await emptied(async () => undefined), ['', '1111'])
  assert.deepEqual(await emptied(opened => opened.write(bytes(2), 0)), ['22', '2211'])
  assert.deepEqual(
    await emptied(async opened => {
      await opened.write(bytes(2), 0)
      await opened.sync()
    }),
    ['22'],
  )
})

test('a process that is killed in the middle of a write leaves what the kernel had of it', async () => {
  const seen = new Set<number>()
  for (let seed = 1; seed <= 100; seed++) {
    const machine = new ScriptedMachine(seed)
    machine.device.makeDirectory(directory)
    await machine.run(async () => {
      const opened = await machine.disk().create(file, { dataSync: true })
      let returned = false
      void opened.write(bytes(1), 0).then(() => {
        returned = true
      })
      machine.kill()
      await machine.time.wait(10)
      assert.equal(returned, false)
    })
    seen.add(machine.device.filesBelow(directory).get('file')!.length)
  }
  assert.ok(seen.has(0) && seen.has(1024) && seen.size > 10, [...seen].join())
})

test('a lock dies with its process, and keeps out others until then', async () => {
  const machine = new ScriptedMachine()
  machine.device.makeDirectory(directory)
  await machine.run(async () => {
    const disk = machine.disk()
    await disk.lock(directory)
    await assert.rejects(disk.lock(directory), { code: 'LOCKED' })
    machine.kill()
    await machine.disk().lock(directory)
  })
})
