import { type Level, requiredNonCentrality } from './power.ts'
import { binomialTails, bisect, chiSquareTails, type Tails } from './special-functions.ts'

/** What a number of counts should be like. Every kind has its test, and a bias that it is sized by. */
export type Design = Cells | Places | Lags | Rare

/**
 * Each trial falls into one cell. Pearson's chi-square, or the likelihood ratio G, against chances that are known.
 * The bias is that of some cells together, whose share the others pay for in proportion.
 */
export interface Cells {
  readonly kind: 'cells'
  readonly statistic: 'Pearson' | 'G'
  readonly chances: readonly number[]
  /** Parts of equal size, each with as many trials as the others; 1 where nothing is stratified. */
  readonly strata: number
  readonly target: readonly number[]
}

/**
 * Each trial drains an urn of `tickets`, as many of each item, and counts how many of an item fall into each of equally
 * long parts of the drain. Rows and columns have fixed sums and the tickets of a drain are not independent of each
 * other: Pearson's statistic times (tickets - 1) / tickets is chi-square with (items - 1) · (parts - 1) degrees of
 * freedom, because the covariance is that of random permutations. The bias is that of one item in one part.
 */
export interface Places {
  readonly kind: 'places'
  readonly items: number
  readonly parts: number
  readonly tickets: number
}

/**
 * Correlations of a series with itself at lags from 1 on, times the root of the number of terms. Mean and variance of
 * the series are known, so each is normal with variance 1, and the sum of their squares is chi-square (Box and Pierce,
 * 1970). The bias is one correlation.
 */
export interface Lags {
  readonly kind: 'lags'
  readonly lags: number
}

/** How often something rare came: the exact binomial tails. The bias is that of its chance, upwards. */
export interface Rare {
  readonly kind: 'rare'
  readonly chance: number
}

/** What came out: `p` is two-sided, since a fit that is too good is no better than a bad one. */
export interface Result {
  readonly statistic: number
  readonly degrees: number
  readonly p: number
}

/** A cell with fewer expected than this is not chi-square far out in the tails. */
const leastExpected = 25

function degreesOf(design: Design): number {
  if (design.kind === 'cells') return design.chances.length - design.strata
  if (design.kind === 'places') return (design.items - 1) * (design.parts - 1)
  return design.kind === 'lags' ? design.lags : 0
}

/** Non-centrality that one trial adds at a bias of 1; it goes with the square of the bias. */
function informationOf(design: Cells | Places | Lags): number {
  if (design.kind === 'lags') return 1
  if (design.kind === 'places') {
    const { items, parts, tickets } = design
    const perCell = tickets / (items * parts)
    return (perCell * (tickets - 1)) / tickets / ((1 - 1 / items) * (1 - 1 / parts))
  }
  const { chances, strata, target } = design
  const shares = new Float64Array(strata)
  for (const cell of target) shares[Math.floor((cell * strata) / chances.length)]! += chances[cell]! * strata
  return shares.reduce((sum, share) => sum + share / (1 - share), 0) / strata
}

/** Trials below which the distribution of the statistic is not what it is taken for. */
function leastTrials(design: Design): number {
  if (design.kind === 'cells') {
    const least = design.chances.reduce((least, chance) => Math.min(least, chance))
    return Math.ceil(leastExpected / least)
  }
  return design.kind === 'rare' ? 1 : 1000
}

/** Trials that exclude a bias, and at least as many as the test needs to be exact. */
export function trialsFor(design: Design, bias: number, level: Level): number {
  if (design.kind === 'rare') {
    const { chance } = design
    return Math.ceil(bisect(0, 1 / chance, trials => smallestBias(design, Math.ceil(trials), level) <= bias))
  }
  const nonCentrality = requiredNonCentrality(degreesOf(design), twoSided(level))
  return atLeast(design, nonCentrality / (informationOf(design) * bias ** 2))
}

/** Trials as asked for, at least as many as the test needs, and as many in each stratum. */
export function atLeast(design: Design, trials: number): number {
  const strata = design.kind === 'cells' ? design.strata : 1
  return Math.ceil(Math.max(leastTrials(design), trials) / strata) * strata
}

/** The smallest bias that so many trials exclude. */
export function smallestBias(design: Design, trials: number, level: Level): number {
  if (design.kind === 'rare') return smallestFactor(design.chance, trials, twoSided(level)) - 1
  const nonCentrality = requiredNonCentrality(degreesOf(design), twoSided(level))
  return Math.sqrt(nonCentrality / (informationOf(design) * trials))
}

/** Half of the chance of a false alarm is for fits that are too good. */
function twoSided({ alpha, power }: Level): Level {
  return { alpha: alpha / 2, power }
}

/** By how much a rare chance has to be too large so that it is found. */
function smallestFactor(chance: number, trials: number, { alpha, power }: Level): number {
  const most = Math.ceil(bisect(0, trials * chance + 10, count => upperAt(count) <= alpha))
  return bisect(1, 2, factor => binomialTails(most, trials, Math.min(0.5, factor * chance)).upper >= power)

  function upperAt(count: number): number {
    return binomialTails(Math.ceil(count), trials, chance).upper
  }
}

/** Holds counts against what they should be like. */
export function evaluate(design: Design, counts: Float64Array, trials: number): Result {
  if (design.kind === 'rare') {
    const count = counts[0]!
    return { statistic: count, degrees: 0, p: twoSidedChance(binomialTails(count, trials, design.chance)) }
  }
  const degrees = degreesOf(design)
  const statistic = statisticOf(design, counts, trials)
  return { statistic, degrees, p: twoSidedChance(chiSquareTails(statistic, degrees)) }
}

function twoSidedChance({ lower, upper }: Tails): number {
  return Math.min(1, 2 * Math.min(lower, upper))
}

function statisticOf(design: Cells | Places | Lags, counts: Float64Array, trials: number): number {
  if (design.kind === 'lags') return counts.reduce((sum, z) => sum + z ** 2, 0)
  if (design.kind === 'places') {
    const { tickets, items, parts } = design
    const expected = (trials * tickets) / (items * parts)
    const sum = counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0)
    return (sum * (tickets - 1)) / tickets
  }
  const { chances, statistic } = design
  let sum = 0
  for (let cell = 0; cell < chances.length; cell++) {
    const expected = chances[cell]! * trials
    const count = counts[cell]!
    if (statistic === 'Pearson') sum += (count - expected) ** 2 / expected
    else if (count > 0) sum += 2 * count * Math.log(count / expected)
  }
  return sum
}
