import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kuji } from '@kuji/engine'
import { directory, ScriptedMachine } from './support/scripted-machine.ts'

const pool = { id: 'p', items: [{ id: 'it', weight: 1, stock: 'unlimited' }] } as const
/** Bytes of a batch that is a seal alone, with the terminator behind it. */
const sealBytes = 88

/** Draws until a write has failed. */
async function drawOn(machine: ScriptedMachine, kuji: Kuji): Promise<void> {
  while (kuji.status().state === 'open') {
    await kuji.draw('p', { count: 100 }).catch(() => undefined)
    await machine.time.wait(1)
  }
}

test('a seal that only the page cache has is made durable before anything is built on it', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const machine = new ScriptedMachine(seed)
    await machine.run(async () => {
      const kuji = await machine.open()
      await kuji.putPool(pool)
      // The device fails when the file is full and its seal is written; the kernel keeps the bytes, and takes them for
      // written.
      machine.misfortune = ({ name, bytes }) =>
        name.startsWith('writeSync') && bytes === sealBytes ? { kind: 'error', code: 'EIO' } : null
      await drawOn(machine, kuji)
      assert.equal(kuji.status().state, 'failed')
      machine.kill()
      machine.misfortune = () => null
      const again = await machine.open()
      const { drawNumber } = again.status()
      const { id } = await again.draw('p')
      assert.equal(id, drawNumber + 1)
      machine.cutPower()
      const last = await machine.open()
      assert.equal(last.status().drawNumber, id)
      await last.close()
    })
  }
})

for (const failing of ['open', 'syncDirectory', 'rename', 'writeSync @0'])
  test(`where a larger file cannot take the place of the next one, no draw is lost: ${failing}`, async () => {
    const machine = new ScriptedMachine()
    await machine.run(async () => {
      const kuji = await machine.open()
      await kuji.putPool(pool)
      await machine.time.wait(50)
      let failed = 0
      machine.misfortune = ({ name, path }) =>
        name === failing && (path === directory || path.includes('0000000002')) && failed++ === 0
          ? { kind: 'error', code: 'EMFILE' }
          : null
      await assert.rejects(kuji.draw('p', { count: 9000 }), { code: 'READ_ONLY' })
      assert.equal(failed, 1)
      for (let round = 0; round < 20; round++) {
        await kuji.draw('p', { count: 500 }).catch(({ code }) => assert.equal(code, 'READ_ONLY'))
        await machine.time.wait(500)
      }
      const { drawNumber } = kuji.status()
      assert.ok(drawNumber > 4096, 'the log has gone on in the next file')
      await kuji.close()
      const again = await machine.open()
      assert.equal(again.status().drawNumber, drawNumber)
      await again.close()
    })
  })

test('a file used again whose header could not be synced is never taken for the next one', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const machine = new ScriptedMachine(seed)
    await machine.run(async () => {
      const kuji = await machine.open()
      await kuji.putPool(pool)
      let failed = 0
      machine.misfortune = ({ name, path }) =>
        name === 'sync' && path.includes('/spare-') && failed++ === 0 ? { kind: 'error', code: 'EIO' } : null
      while (failed === 0) {
        await kuji.draw('p', { count: 100 })
        await machine.time.wait(5)
      }
      await machine.time.wait(2)
      const { drawNumber } = kuji.status()
      machine.cutPower()
      const again = await machine.open()
      assert.ok(again.status().drawNumber >= drawNumber)
      await again.close()
    })
  }
})

test('a file used again never has its new header under its old name, however slow a sync is', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const machine = new ScriptedMachine(seed)
    await machine.run(async () => {
      const kuji = await machine.open()
      await kuji.putPool(pool)
      // What makes the old name go takes very long.
      let namedSpare = false
      machine.latency = ({ name, path }) => {
        const isSlow = name === 'syncDirectory' && namedSpare
        namedSpare = name === 'rename' && path.includes(' to spare-')
        return isSlow ? 10_000 : 0.1
      }
      let usedAgain = false
      machine.misfortune = ({ name, path }) => {
        if (name === 'sync' && path.includes('/spare-')) usedAgain = true
        return null
      }
      let { drawNumber } = kuji.status()
      while (!usedAgain) {
        const { id } = await kuji.draw('p', { count: 100 })
        drawNumber = id + 99
        await machine.time.wait(0.5)
      }
      machine.cutPower()
      const again = await machine.open()
      assert.ok(again.status().drawNumber >= drawNumber)
      await again.close()
    })
  }
})
