import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { open } from '@kuji/engine'
import { listBatches } from '../support/log-reader.ts'
import { processorMs } from '../support/processor-time.ts'
import { temporaryDirectory } from '../support/temporary.ts'

test('outcomes that read like lengths do not hold up a start after a torn batch', async t => {
  const dir = temporaryDirectory(t)
  // Six items: four of their outcomes are often the length of a batch that would go on for many megabytes.
  const items = Array.from({ length: 6 }, (_, i) => ({ id: `i${i}`, weight: 1, stock: 'unlimited' as const }))
  const kuji = await open({ dir, durability: 'os' })
  await kuji.putPool({ id: 'p', items })
  for (let i = 0; i < 2; i++) await kuji.drawMany('p', 1_000_000)
  await kuji.close()
  const file = join(dir, 'segment-0000000001.log')
  const bytes = readFileSync(file)
  const second = listBatches(bytes)[2]!
  bytes.fill(0, second.offset + 600_000)
  writeFileSync(file, bytes)
  const started = processorMs()
  const again = await open({ dir, durability: 'os', onEvent: () => undefined })
  // It took over 40 seconds, and takes a tenth of one besides reading the file.
  assert.ok(processorMs() - started < 10_000)
  assert.equal(again.status().drawNumber, 1_000_000)
  await again.close()
})
