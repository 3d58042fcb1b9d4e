import { parentPort } from 'node:worker_threads'
import { deterministicRandom } from '../../../packages/engine/src/random/deterministic.ts'
import { type Outcome, type Run, runCampaign } from '../../src/statistics/campaign.ts'
import type { Check } from '../../src/statistics/check.ts'
import { checks } from '../../src/statistics/checks/index.ts'
import { evaluate } from '../../src/statistics/design.ts'
import { type Pools, seededPools } from '../../src/statistics/pools.ts'
import { flaws } from './flawed-pools.ts'
import { NaivePools } from './naive-pools.ts'
import { biasedCount, biasedCounts, correlatedPools, earlyPools } from './planted-bias.ts'

/** Runs one check after the other, in a thread that nobody watches the promises of. */

export interface Question {
  readonly check: string
  /** Naive pools with this flaw, or '' for none; without it, the engine. */
  readonly flaw?: string
  readonly draws?: number
}

export interface Answer {
  readonly p: number
  readonly passed: boolean
  readonly smallestBias: number
  /** The chance that comes out when the draws have the bias that the check says it excludes; of the engine alone. */
  readonly planted: number
}

const seedOf = (check: Check) => 1000 + checks.indexOf(check)

async function runOne(check: Check, open: () => Promise<Pools>, draws?: number): Promise<Outcome> {
  const size = draws === undefined ? {} : { draws }
  const [outcome] = await runCampaign([check], { open, among: checks.length, reruns: false, ...size })
  return outcome!
}

async function chanceOfBiased(check: Check, { counts, trials }: Run): Promise<number> {
  const { design, bias } = check
  const seed = seedOf(check)
  const random = deterministicRandom(seed)
  if (design.kind === 'cells') return evaluate(design, biasedCounts(design, counts, bias, random), trials).p
  if (design.kind === 'rare') {
    const count = biasedCount(design.chance, trials, counts[0]!, bias, random)
    return evaluate(design, Float64Array.of(count), trials).p
  }
  const open = async (): Promise<Pools> => {
    const pools = await seededPools(seed)
    if (design.kind === 'lags') return correlatedPools(pools, bias, seed)
    return earlyPools(pools, design, bias, seed)
  }
  return (await runOne(check, open)).run.p
}

async function answer({ check: name, flaw, draws }: Question): Promise<Answer> {
  const check = checks.find(known => known.name === name)!
  if (flaw === undefined) {
    const { run, passed } = await runOne(check, () => seededPools(seedOf(check)), draws)
    return { p: run.p, passed, smallestBias: run.smallestBias, planted: await chanceOfBiased(check, run) }
  }
  const make = flaw === '' ? NaivePools : flaws.find(known => known.name === flaw)!.make
  const { run, passed } = await runOne(check, async () => new make(deterministicRandom(9)), draws)
  return { p: run.p, passed, smallestBias: run.smallestBias, planted: 1 }
}

parentPort!.on('message', (question: Question) => {
  const fail = (error: unknown): void => parentPort!.postMessage(error)
  void answer(question).then(result => parentPort!.postMessage(result), fail)
})
