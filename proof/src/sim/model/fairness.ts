import type { Chance } from '../../chance.ts'
import type { ModelPool } from './model-pool.ts'

const bins = 8
/** Draws on average in a cell below which nothing is said. */
const leastExpected = 20
/**
 * Standard deviations. Beyond 7 a right sampler comes once in 10^11 runs; what is left for a distribution that is only
 * nearly normal.
 */
const deviations = 8

/**
 * Whether items come with the chances that the documents give them. Each draw becomes a number from 0 to 1: the chances
 * of the items before the one drawn, and a random part of its own (Rosenblatt, "Remarks on a multivariate
 * transformation", 1952). Whatever the pools were, these numbers are uniform and have nothing to do with each other, so
 * that pairs of them fill a square evenly: one test for all pools and states, and for draws that depend on the draw
 * before. Items stand in the order of their last change, so that one which is passed over after it was restocked leaves
 * the same part of the square empty each time.
 */
export class Fairness {
  readonly #chance: Chance
  readonly #cells = new Float64Array(bins * bins)
  #before = -1
  #pairs = 0

  constructor(chance: Chance) {
    this.#chance = chance
  }

  /** The same chance, and no draws yet. */
  forgetful(): Fairness {
    return new Fairness(this.#chance)
  }

  /** Takes in that an item is drawn by chance, before it is taken. */
  add(pool: ModelPool, id: string): void {
    let [below, own, all] = [0, 0, 0]
    let isBehind = false
    pool.eachChance((item, chance) => {
      all += chance
      if (item === id) {
        own = chance
        isBehind = true
      } else if (!isBehind) below += chance
    })
    const place = Math.min(bins - 1, Math.floor((bins * (below + own * this.#chance.unit())) / all))
    if (this.#before >= 0) {
      this.#cells[this.#before * bins + place]!++
      this.#pairs++
      this.#before = -1
    } else this.#before = place
  }

  /** Says how the draws were biased, or ''. */
  findBias(): string {
    const expected = this.#pairs / this.#cells.length
    if (expected < leastExpected) return ''
    const square = this.#cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    const freedom = this.#cells.length - 1
    // Wilson and Hilferty, "The distribution of chi-square", 1931.
    const spread = 2 / (9 * freedom)
    const score = (Math.cbrt(square / freedom) - 1 + spread) / Math.sqrt(spread)
    if (score < deviations) return ''
    return `${2 * this.#pairs} draws are biased: ${score.toFixed(1)} standard deviations off`
  }
}
