/** Columns of an alias table as whole numbers, before they are packed for picking. */
export interface AliasColumns {
  /** Random bits B of a pick. */
  readonly bits: 16 | 32 | 52
  /** k of 2^k columns, 1 to 20; each holds 2^(B-k) words. */
  readonly columnBits: number
  /** One a column: alias · 2^(B-k) + threshold. */
  readonly entries: Float64Array
}

/**
 * Deals the 2^B words of an alias table to its columns, exactly and in linear time.
 *
 * With W the sum of weights and s = floor(2^B / W), item i gets s·w_i words, and the outcome after the last
 * item, which means to draw again, the 2^B - s·W left over: fewer than W, thus at most one word in sixteen
 * (one in five where W is near 2^50). The words below a column's threshold are the item's of the column's own
 * number, the others its alias's. A column that is all one item's has that item as alias and threshold 0, so
 * a threshold is below 2^(B-k) and an entry has B bits.
 * @param weights whole numbers from 0 (never picked), one an item, at most 2^20 - 1 of them; their sum is 1
 *   to 2^50
 */
export function aliasColumns(weights: Float64Array): AliasColumns {
  const items = weights.length
  let sum = 0
  for (let item = 0; item < items; item++) {
    const weight = weights[item]!
    if (!(Number.isInteger(weight) && weight >= 0))
      throw new RangeError(`the weight ${weight} is not a whole number`)
    sum += weight
  }
  if (!(sum >= 1 && sum <= 2 ** 50)) throw new RangeError(`the sum of weights is ${sum}, not 1 to 2^50`)
  if (items >= 2 ** 20) throw new RangeError(`${items} weights are more than 2^20 - 1`)

  // 2^columnBits > items: room for the reject outcome.
  const columnBits = 32 - Math.clz32(items)
  const bits = sum <= 2 ** 12 && columnBits <= 16 ? 16 : sum <= 2 ** 28 ? 32 : 52
  const share = Math.floor(2 ** bits / sum)
  const masses = new Float64Array(2 ** columnBits)
  for (let item = 0; item < items; item++) masses[item] = share * weights[item]!
  masses[items] = 2 ** bits - share * sum
  return { bits, columnBits, entries: dealt(masses, 2 ** (bits - columnBits)) }
}

/**
 * Vose's pairing in one sweep without work lists: each column with less than its capacity is topped up by the
 * current donor, the first column not yet passed over with at least that much. A donor that falls short
 * itself is topped up by the next one, at once if the sweep is already past it. Masses are at most 2^52 and
 * only ever reduced by less than they hold, so every step is exact; and since the columns not yet settled
 * always hold their capacity on average, a column in need implies a donor.
 */
function dealt(masses: Float64Array, capacity: number): Float64Array {
  const entries = new Float64Array(masses.length)
  let donor = 0
  while (masses[donor]! < capacity) donor++
  for (let column = 0; column < masses.length; column++) {
    let poor = column
    // A column with enough is its own alias, unless it gives so much away later that it needs another.
    if (masses[poor]! >= capacity) entries[poor] = poor * capacity
    while (masses[poor]! < capacity) {
      const mass = masses[poor]!
      entries[poor] = donor * capacity + mass
      masses[donor]! -= capacity - mass
      if (masses[donor]! >= capacity) break
      const former = donor
      do donor++
      while (masses[donor]! < capacity)
      if (former > column) break
      poor = former
    }
  }
  return entries
}
