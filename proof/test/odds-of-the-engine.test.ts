import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, suite, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { levelOf } from '../src/statistics/campaign.ts'
import { checks } from '../src/statistics/checks/index.ts'
import { flaws } from './support/flawed-pools.ts'
import type { Answer, Question } from './support/odds-worker.ts'

/*
 * The seed is fixed, so nothing here depends on chance. Each check fails at p < 10^-6 over all checks, and is as large
 * as it has to be for the bias that it names.
 */

const { alpha } = levelOf(checks.length)

/** A thread of its own: the test runner follows every promise, and draws are millions of them. */
const worker = new Worker(new URL('./support/odds-worker.ts', import.meta.url))
after(() => worker.terminate())

async function ask(question: Question): Promise<Answer> {
  worker.postMessage(question)
  const [answer] = (await once(worker, 'message')) as [Answer | Error]
  if (answer instanceof Error) throw answer
  return answer
}

suite('the whole engine', () => {
  for (const { name, bias, of, design } of checks) {
    const excluded = bias < 10 ? `${(100 * bias).toPrecision(2)} %` : `${bias} times`
    test(`draws as it should: ${name}; and a bias of ${excluded} of ${of} would be seen`, async () => {
      const { p, passed, smallestBias, planted } = await ask({ check: name })
      assert.ok(passed, `p = ${p}`)
      // What is rare comes in whole numbers, so that its smallest bias is passed over by a little.
      const rounding = design.kind === 'rare' ? 1.01 : 1 + 1e-9
      assert.ok(smallestBias <= bias * rounding, `only ${smallestBias} is excluded`)
      assert.ok(planted < alpha, `p = ${planted} with the bias in it`)
    })
  }
})

/** Nine decimals are more than naive pools know of, and thousands of items take them too long. */
const forTheEngine = /decimals|1 in|,000|reweighed/

suite('pools drawn from in the most simple way', () => {
  for (const { name } of checks.filter(check => !forTheEngine.test(check.name))) {
    test(`pass: ${name}`, async () => {
      const { p, passed } = await ask({ check: name, flaw: '', draws: 100_000 })
      assert.ok(passed, `p = ${p}`)
    })
  }

  for (const { name, seenBy } of flaws) {
    for (const seer of seenBy)
      test(`do not pass with ${name}: ${seer}`, async () => {
        // Mistakes are larger than the smallest bias, but for that of something rare.
        const draws = seer.startsWith('live') ? 10_000 : 500_000
        const size = seer.includes('1 in') ? {} : { draws }
        const { p, passed } = await ask({ check: seer, flaw: name, ...size })
        assert.equal(passed, false, `p = ${p}`)
      })
  }
})
