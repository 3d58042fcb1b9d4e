import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import type { EngineEvent } from '@kuji/engine'
import { open } from '@kuji/engine'
import { eventually } from '../support/eventually.ts'
import { segmentBytes } from '../support/starts.ts'
import { temporaryDirectory } from '../support/temporary.ts'

test('a helper thread that has died is told of, and the next full file starts another', async t => {
  const threads: Worker[] = []
  const note = (worker: Worker): void => {
    threads.push(worker)
  }
  const events: EngineEvent[] = []
  const told = (type: string): number => events.filter(event => event.type === type).length
  const onEvent = (event: EngineEvent): number => events.push(event)
  const kuji = await open({ dir: temporaryDirectory(t), durability: 'os', segmentBytes, onEvent })
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  // The log's own thread is there already.
  process.on('worker', note)
  t.after(() => process.off('worker', note))
  const drawUntil = async (come: () => boolean): Promise<void> => {
    for (let turn = 0; !come() && turn < 300; turn++) {
      await kuji.drawMany('p', 900)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  }
  await drawUntil(() => told('snapshot-written') > 0)
  const [first] = threads
  // As where its heap is full.
  first!.emit('error', new Error('ERR_WORKER_OUT_OF_MEMORY'))
  await first!.terminate()
  assert.equal(told('helper-failed'), 1)
  const written = told('snapshot-written')
  await drawUntil(() => threads.length > 1)
  assert.equal(threads.length, 2)
  await eventually(() => told('snapshot-written') > written)
  await kuji.close()
})
