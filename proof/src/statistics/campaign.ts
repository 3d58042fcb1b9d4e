import type { Check } from './check.ts'
import { atLeast, evaluate, type Result, smallestBias, trialsFor } from './design.ts'
import type { Pools } from './pools.ts'
import type { Level } from './power.ts'

/** Below it a check has failed, whatever it was before. After correction for the number of checks. */
const failureChance = 1e-6
/** Below it a check over fresh randomness runs once more, with ten times the data. Corrected too. */
const rerunChance = 1e-4
const rerunFactor = 10
const power = 0.999

/** The level of one check among so many (Bonferroni): all together find fault with what is right once in a million. */
export function levelOf(checks: number): Level {
  return { alpha: failureChance / checks, power }
}

/** One run of a check. */
export interface Run extends Result {
  readonly trials: number
  readonly draws: number
  readonly counts: Float64Array
  /** The chance of what came out, times the number of checks. */
  readonly corrected: number
  readonly smallestBias: number
}

export interface Outcome {
  readonly check: Check
  readonly run: Run
  /** The only other one, where the first was doubtful: then this one decides. */
  readonly rerun?: Run
  readonly passed: boolean
}

export interface CampaignOptions {
  /** Makes the engine for one run of a check. */
  readonly open: (check: number, run: number) => Promise<Pools>
  /** The number of checks that the chances are corrected by: all there are, where some are left out. */
  readonly among: number
  /** Draws of each check; default what its bias takes. */
  readonly draws?: number
  /**
   * Whether what is doubtful runs once more. With a fixed seed it would be the choice of another seed, so nothing
   * does.
   */
  readonly reruns: boolean
  readonly onOutcome?: (outcome: Outcome) => void
}

export async function runCampaign(checks: readonly Check[], options: CampaignOptions): Promise<Outcome[]> {
  const { among } = options
  const level = levelOf(among)
  const outcomes: Outcome[] = []
  for (const [index, check] of checks.entries()) {
    const { design, drawsPerTrial, bias } = check
    const trials =
      options.draws === undefined
        ? trialsFor(design, bias, level)
        : atLeast(design, Math.ceil(options.draws / drawsPerTrial))
    const again = (times: number): Promise<Run> =>
      runCheck(check, times === 1 ? trials : trials * rerunFactor, among, () => options.open(index, times))
    const outcome = await judge(check, again, options.reruns)
    outcomes.push(outcome)
    options.onOutcome?.(outcome)
  }
  return outcomes
}

async function judge(
  check: Check,
  again: (times: number) => Promise<Run>,
  reruns: boolean,
): Promise<Outcome> {
  const run = await again(1)
  const isDoubtful = run.corrected < rerunChance && run.corrected >= failureChance
  if (!reruns || !isDoubtful) return { check, run, passed: run.corrected >= failureChance }
  const rerun = await again(2)
  return { check, run, rerun, passed: rerun.corrected >= failureChance }
}

/** One run of a check among so many. */
async function runCheck(
  check: Check,
  trials: number,
  among: number,
  open: () => Promise<Pools>,
): Promise<Run> {
  const { design, drawsPerTrial } = check
  const pools = await open()
  try {
    const counts = await check.observe(pools, trials)
    const result = evaluate(design, counts, trials)
    return {
      ...result,
      ...{ trials, counts, draws: trials * drawsPerTrial },
      corrected: Math.min(1, result.p * among),
      smallestBias: smallestBias(design, trials, levelOf(among)),
    }
  } finally {
    await pools.close()
  }
}
