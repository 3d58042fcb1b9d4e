import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ScriptedMachine } from './support/scripted-machine.ts'

const items = [{ id: 'it', weight: 1, stock: 'unlimited' }] as const

test('what is drawn while a larger file is made ready is there after a crash', async () => {
  // The room that is kept for a change grows by three bytes a character: one of these needs all there is in a file.
  for (let length = 1060; length < 1090; length++) {
    const machine = new ScriptedMachine()
    machine.latency = () => 1
    await machine.run(async () => {
      const kuji = await machine.open()
      await kuji.putPool({ id: 'p', items })
      const put = kuji.putPool({ id: 'q', items, metadata: 'x'.repeat(length) })
      const draws: Promise<unknown>[] = []
      for (let draw = 0; draw < 20; draw++) {
        await machine.time.wait(1.5)
        draws.push(kuji.draw('p', { count: 300 }))
      }
      await Promise.all([put, ...draws])
      machine.kill()
      const again = await machine.open()
      assert.equal(again.status().drawNumber, 20 * 300)
      await again.close()
    })
  }
})
