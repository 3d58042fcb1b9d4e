import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kuji } from '@kuji/engine'
import { ScriptedMachine } from './support/scripted-machine.ts'

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
