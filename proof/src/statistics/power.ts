import { bisect, chiSquareCritical, nonCentralUpper } from './special-functions.ts'

/** How surely a test has to tell right from wrong. */
export interface Level {
  /** The chance that it finds fault with what is right. */
  readonly alpha: number
  /** The chance that it finds a bias of the size that it is made for. */
  readonly power: number
}

const known = new Map<string, number>()

/**
 * The non-centrality at which a chi-square test finds a bias with the power asked for: how far the statistic has to be
 * off on the average. `alpha` is the chance of the upper tail alone.
 */
export function requiredNonCentrality(degrees: number, { alpha, power }: Level): number {
  const key = `${degrees} ${alpha} ${power}`
  let value = known.get(key)
  if (value === undefined) {
    const critical = chiSquareCritical(alpha, degrees)
    value = bisect(0, degrees + 60, size => nonCentralUpper(critical, degrees, size) >= power)
    known.set(key, value)
  }
  return value
}

/**
 * Draws that it takes to find that something of the chance `p` comes with p · (1 + bias): Pearson's statistic then has
 * the non-centrality draws · bias² · p / (1 - p), since what it has too much the others have too little of, in
 * proportion.
 * @param degrees degrees of freedom of the test: what else it looks at has its price
 */
export function sampleSize(p: number, bias: number, level: Level, degrees = 1): number {
  return Math.ceil((requiredNonCentrality(degrees, level) * (1 - p)) / (p * bias ** 2))
}
