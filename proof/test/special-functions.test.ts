import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { requiredNonCentrality, sampleSize } from '../src/statistics/power.ts'
import {
  binomialTails,
  chiSquareCritical,
  chiSquareTails,
  nonCentralUpper,
} from '../src/statistics/special-functions.ts'

function near(actual: number, expected: number, relative: number): void {
  assert.ok(Math.abs(actual / expected - 1) < relative, `${actual} is not ${expected}`)
}

suite('chances', () => {
  test('of chi-square are those of the published tables', () => {
    // Abramowitz and Stegun, table 26.8: the values that are exceeded with the chance above.
    const table: [upper: number, degrees: number, statistic: number][] = [
      [0.05, 1, 3.84146],
      [0.001, 1, 10.8276],
      [0.0001, 1, 15.1367],
      [0.05, 10, 18.307],
      [0.001, 10, 29.5883],
      [0.995, 10, 2.15585],
      [0.01, 100, 135.807],
      [0.995, 100, 67.3276],
    ]
    for (const [upper, degrees, statistic] of table) {
      near(chiSquareTails(statistic, degrees).upper, upper, 1e-4)
      near(chiSquareCritical(upper, degrees), statistic, 1e-5)
    }
  })

  test('of chi-square with an even number of degrees are sums of a few terms, far out too', () => {
    for (const degrees of [2, 4, 10, 60, 300]) {
      for (const x of [0.1, 1, 5, 20, 80, 400]) {
        // P(chi-square > 2x) is the chance of fewer than degrees / 2 events where x are expected.
        let term = Math.exp(-x)
        let upper = 0
        for (let k = 0; k < degrees / 2; k++) {
          upper += term
          term *= x / (k + 1)
        }
        if (upper > 1e-280 && upper < 0.999) near(chiSquareTails(2 * x, degrees).upper, upper, 1e-9)
      }
    }
  })

  test('of chi-square with 70,000 degrees are near the normal ones of Wilson and Hilferty', () => {
    const degrees = 69_999
    const z = 4
    const statistic = degrees * (1 - 2 / (9 * degrees) + z * Math.sqrt(2 / (9 * degrees))) ** 3
    near(chiSquareTails(statistic, degrees).upper, 3.16712e-5, 1e-3)
  })

  test('of the normal distribution are chi-square with one degree', () => {
    near(chiSquareTails(1.959963984540054 ** 2, 1).upper, 0.05, 1e-10)
    near(chiSquareTails(6 ** 2, 1).upper, 1.973175290075396e-9, 1e-10)
  })

  test('of a binomial are the sums of its terms, and those of rare things the sums of Poisson', () => {
    near(binomialTails(7, 10, 0.5).upper, 176 / 1024, 1e-10)
    near(binomialTails(7, 10, 0.5).lower, 968 / 1024, 1e-10)
    near(binomialTails(2, 10, 0.5).lower, 56 / 1024, 1e-10)
    near(binomialTails(2, 10, 0.5).upper, 1013 / 1024, 1e-10)
    // Five or more where two are expected: 1 - 7 e^-2.
    near(binomialTails(5, 1e9, 2e-9).upper, 1 - 7 * Math.exp(-2), 1e-6)
    near(binomialTails(0, 1e9, 2e-9).lower, Math.exp(-2), 1e-6)
  })

  test('of non-central chi-square are those of a shifted normal, squared', () => {
    const upperNormal = (z: number) => chiSquareTails(z ** 2, 1).upper / 2
    for (const [shift, point] of [
      [3, 5],
      [2, 4],
      [8, 5],
    ] as const) {
      const below = point > shift ? upperNormal(point - shift) : 1 - upperNormal(shift - point)
      near(nonCentralUpper(point ** 2, 1, shift ** 2), below + upperNormal(point + shift), 1e-8)
    }
  })
})

suite('sizes', () => {
  test('1 % at p = 0.1 takes 5.7 million draws at alpha 10^-6 with a power of 0.999', () => {
    const draws = sampleSize(0.1, 0.01, { alpha: 1e-6, power: 0.999 })
    assert.equal(Math.round(draws / 100_000), 57)
    // The same by quantiles of the normal distribution, 4.8916 and 3.0902.
    near(draws, ((4.891638 + 3.090232) ** 2 * 0.9) / (0.1 * 0.01 ** 2), 1e-5)
  })

  test('go with the square of the bias, and more degrees of freedom have their price', () => {
    const level = { alpha: 1e-6, power: 0.999 }
    near(sampleSize(0.1, 0.01, level), 4 * sampleSize(0.1, 0.02, level), 1e-5)
    // Computed by others: 77.5 for 5 degrees of freedom, 86.1 for 9.
    near(requiredNonCentrality(5, level), 77.5, 1e-3)
    near(requiredNonCentrality(9, level), 86.1, 1e-3)
  })
})
