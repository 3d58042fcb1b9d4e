import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Kuji, Receipt } from '@kuji/engine'
import { open } from '@kuji/engine'
import { copyOf, filesOf } from './support/directory.ts'
import { allPools } from './support/render.ts'
import { temporaryDirectory } from './support/temporary.ts'

const golden = join(import.meta.dirname, 'golden')
const formats = readdirSync(golden).filter(name => /^format-\d+(?:-keys)?$/.test(name))

test('there is a golden directory of every format version', () => {
  assert.deepEqual(formats, ['format-1', 'format-1-keys'])
})

for (const format of formats) {
  const {
    drawNumber,
    pools,
    receipts = [],
  } = JSON.parse(readFileSync(join(golden, `${format}.json`), 'utf8')) as {
    drawNumber: number
    pools: unknown
    receipts?: Receipt[]
  }

  /** What was answered is answered again, as long as it is kept. */
  const assertReceipts = async (kuji: Kuji): Promise<void> => {
    assert.equal(kuji.status().keys, receipts.length)
    for (const receipt of receipts)
      assert.deepEqual(await kuji.receipt(receipt.id), { ...receipt, replayed: true })
  }

  test(`a directory of ${format} opens with the state it was closed with, and goes on`, async t => {
    const dir = copyOf(join(golden, format), join(temporaryDirectory(t), 'data'))
    const events: string[] = []
    for (let round = 0; round < 2; round++) {
      const kuji = await open({ dir, segmentBytes: 4096, onEvent: ({ type }) => events.push(type) })
      assert.equal(kuji.status().drawNumber, drawNumber + round)
      if (round === 0) assert.deepEqual(await allPools(kuji), pools)
      await assertReceipts(kuji)
      assert.equal((await kuji.draw('banner')).id, drawNumber + round + 1)
      await kuji.close()
    }
    // Whatever the rights that a checkout gives.
    assert.deepEqual(
      events.filter(type => type !== 'open-to-others'),
      ['recovered', 'recovered'],
    )
  })

  test(`each snapshot of ${format} and the log behind it say the same`, async t => {
    for (const snapshot of filesOf(join(golden, format), /^snapshot/)) {
      const dir = copyOf(join(golden, format), join(temporaryDirectory(t), 'data'))
      rmSync(join(dir, snapshot))
      const kuji = await open({ dir, segmentBytes: 4096, onEvent: () => undefined })
      assert.deepEqual(await allPools(kuji), pools)
      await assertReceipts(kuji)
      await kuji.close()
    }
  })
}
