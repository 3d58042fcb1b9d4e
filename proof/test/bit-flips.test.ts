import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Judge, type Outcome } from '../src/bit-flips/judge.ts'
import { countCases, type Kind, kinds, mutate } from '../src/bit-flips/mutations.ts'
import { ends, makeSample } from '../src/bit-flips/sample.ts'

/**
 * A directory with a log of 64 KiB is damaged and opened: right, or refused with CORRUPT, never with another state. One
 * bit in a hundred is tried here, half of them in each directory; `npm run bit-flips` tries all.
 */
const logBytes = 65_536
const strides: Record<Kind, number> = {
  bit: 202,
  'two-bits': 100,
  'zeroed-sector': 1,
  'swapped-sectors': 100,
}

for (const [index, end] of ends.entries()) {
  test(`damage anywhere is survived or refused, never believed: a log at ${end}`, async () => {
    const sample = await makeSample(end, logBytes)
    const judge = await Judge.of(sample)
    for (const kind of kinds) {
      const outcomes: Record<Outcome, number> = { right: 0, refused: 0, 'end lost': 0 }
      const cases = countCases(sample, kind)
      for (let place = (index * strides[kind]) >> 1; place < cases; place += strides[kind])
        outcomes[await judge.judge(mutate(sample, kind, place))]++
      // Both happen: batches are refused; unused space and one bad snapshot of two are survived.
      assert.ok(outcomes.right > 20 && outcomes.refused > 20, `${kind}: ${JSON.stringify(outcomes)}`)
      // A single bit never hides more than the batch that it is in, and a seal follows the last one that was answered.
      if (kind === 'bit') assert.equal(outcomes['end lost'], 0)
    }
  })
}

test('a directory that comes up with less than was answered is found', async () => {
  const sample = await makeSample('idle', 16_384)
  const judge = await Judge.of(sample)
  const files = new Map(sample.files)
  for (const { path, from, to } of sample.batches.slice(-2)) {
    const bytes = files.get(path)!.slice()
    bytes.fill(0, from, to)
    files.set(path, bytes)
  }
  const { path, from } = sample.batches.at(-1)!
  const lost = judge.judge({ what: 'the end is gone', files, places: [{ path, offset: from }] })
  await assert.rejects(lost, /recovered to another state/)
})

test('a directory that comes up with what nobody was answered is found', async () => {
  const [sample, other] = [await makeSample('idle', 16_384), await makeSample('idle', 32_768)]
  const judge = await Judge.of(sample)
  await assert.rejects(judge.judge({ what: 'another one', files: other.files, places: [] }), /recovered to/)
})
