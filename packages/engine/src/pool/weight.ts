import { limits } from '../contract/index.ts'
import { invalid } from './check.ts'

const powersOfTen = Float64Array.from({ length: limits.weightDecimals + 1 }, (_, exponent) => 10 ** exponent)

/**
 * A weight is kept as a whole number of units of 10^-decimals, one number of decimals for the whole pool. What a
 * caller writes as 0.1 is taken as the decimal 0.1 (the shortest text that gives that double), not as the double
 * nearest to it, so sums are exact.
 */
export function countDecimals(weight: number): number {
  if (Number.isInteger(weight)) return 0
  const text = String(weight)
  const exponentAt = text.indexOf('e')
  const mantissa = exponentAt < 0 ? text : text.slice(0, exponentAt)
  const exponent = exponentAt < 0 ? 0 : Number(text.slice(exponentAt + 1))
  const point = mantissa.indexOf('.')
  const places = point < 0 ? 0 : mantissa.length - point - 1
  return Math.max(0, places - exponent)
}

/** Checks a declared weight. Throws `INVALID`. Zero is left to the caller to judge. */
export function checkWeight(value: unknown, field: string): number {
  if (typeof value !== 'number' || !(value >= 0) || value > limits.weightSum) {
    throw invalid(field, `expected a number from 0 to ${limits.weightSum}`)
  }
  if (countDecimals(value) > limits.weightDecimals) {
    throw invalid(field, `cannot be exact: more than ${limits.weightDecimals} decimal places`)
  }
  return value
}

/**
 * The weight as a whole number of units of 10^-decimals; `decimals` must cover the weight. Exact up to 2^50: the
 * double nearest to weight × 10^decimals is within half a unit of the true whole number.
 */
export function scaleWeight(weight: number, decimals: number): number {
  return Math.round(weight * powersOfTen[decimals]!)
}

/** The declared weight back from its whole number: the double nearest to the decimal. */
export function unscaleWeight(units: number, decimals: number): number {
  return units / powersOfTen[decimals]!
}

/** Factor between two numbers of decimals. */
export function rescaleFactor(from: number, to: number): number {
  return powersOfTen[to - from]!
}
