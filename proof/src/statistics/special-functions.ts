/**
 * The few functions that turn a statistic into a chance, to about ten digits over the arguments that occur here: up
 * to a hundred thousand degrees of freedom, tails down to 10^-300. Held to published values by a test.
 */

/** Both sides of a distribution at a point; the smaller one is not the other's rounding error. */
export interface Tails {
  readonly lower: number
  readonly upper: number
}

const mostSteps = 1_000_000
const tiny = 1e-300

/** Coefficients of Lanczos's approximation with g = 7, as computed by Godfrey. */
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** ln Γ(x) for x > 0. */
function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  let sum = lanczos[0]!
  for (let k = 1; k < lanczos.length; k++) sum += lanczos[k]! / (x - 1 + k)
  const t = x + 6.5
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}

/** The regularised incomplete gamma functions P(a, x), Q(a, x): a series below a + 1, a continued fraction above. */
function gammaTails(a: number, x: number): Tails {
  if (x <= 0) return { lower: 0, upper: 1 }
  const front = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < mostSteps && term > sum * 1e-17; n++) {
      term *= x / (a + n)
      sum += term
    }
    const lower = Math.min(1, front * sum)
    return { lower, upper: 1 - lower }
  }
  // Lentz's way through the continued fraction of Γ(a, x).
  let b = x + 1 - a
  let c = 1 / tiny
  let d = 1 / b
  let fraction = d
  for (let n = 1; n < mostSteps; n++) {
    const numerator = -n * (n - a)
    b += 2
    d = 1 / (numerator * d + b || tiny)
    c = b + numerator / c || tiny
    const factor = d * c
    fraction *= factor
    if (Math.abs(factor - 1) < 1e-16) break
  }
  const upper = Math.min(1, front * fraction)
  return { lower: 1 - upper, upper }
}

/** Chances that chi-square with that many degrees of freedom is below, or above, `statistic`. */
export function chiSquareTails(statistic: number, degrees: number): Tails {
  return gammaTails(degrees / 2, statistic / 2)
}

/** The value that chi-square is above with chance `upper`. */
export function chiSquareCritical(upper: number, degrees: number): number {
  return bisect(0, degrees + 10, value => chiSquareTails(value, degrees).upper < upper)
}

/**
 * The chance that non-central chi-square is above `statistic`: chi-square with 2j more degrees of freedom, where j is
 * Poisson with half the non-centrality as its mean. From one j to the next Q(a + 1, x) = Q(a, x) + x^a e^-x / Γ(a + 1)
 */
export function nonCentralUpper(statistic: number, degrees: number, nonCentrality: number): number {
  const mean = nonCentrality / 2
  const x = statistic / 2
  const reach = 10 * Math.sqrt(mean) + 40
  const first = Math.max(0, Math.floor(mean - reach))
  let { upper } = gammaTails(degrees / 2 + first, x)
  let sum = 0
  for (let j = first; j <= mean + reach; j++) {
    sum += Math.exp(j * Math.log(mean || tiny) - mean - logGamma(j + 1)) * upper
    const a = degrees / 2 + j
    upper += Math.exp(a * Math.log(x) - x - logGamma(a + 1))
  }
  return Math.min(1, sum)
}

/** Chances that of `trials`, each with a chance of `p`, at most (lower) and at least (upper) `count` succeed. */
export function binomialTails(count: number, trials: number, p: number): Tails {
  const at = Math.exp(
    logGamma(trials + 1) -
      logGamma(count + 1) -
      logGamma(trials - count + 1) +
      count * Math.log(p) +
      (trials - count) * Math.log1p(-p),
  )
  // Towards the end that is further from the mean the terms only shrink.
  let [side, term] = [at, at]
  if (count > trials * p) {
    for (let k = count; k < trials && term > side * 1e-17; k++) {
      term *= ((trials - k) / (k + 1)) * (p / (1 - p))
      side += term
    }
    return { lower: Math.min(1, 1 - side + at), upper: side }
  }
  for (let k = count; k > 0 && term > side * 1e-17; k--) {
    term *= (k / (trials - k + 1)) * ((1 - p) / p)
    side += term
  }
  return { lower: side, upper: Math.min(1, 1 - side + at) }
}

/** The least value, to twelve digits, from which on `holds` does: it does not at `low`, and is monotone. */
export function bisect(low: number, guess: number, holds: (value: number) => boolean): number {
  let [below, above] = [low, guess]
  while (!holds(above)) [below, above] = [above, low + 2 * (above - low)]
  while (above - below > 1e-12 * Math.abs(above)) {
    const middle = (below + above) / 2
    if (middle === below || middle === above) break
    if (holds(middle)) above = middle
    else below = middle
  }
  return above
}
