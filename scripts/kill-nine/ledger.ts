import type { DecodedPool } from '../../test/support/decoded-pool.ts'
import { decodeLog } from '../../test/support/log-decoder.ts'

interface PoolState {
  readonly id: string
  readonly items: readonly {
    id: string
    stock: number | 'unlimited'
    remaining: number | 'unlimited'
    drawn: number
  }[]
}

/** Answers that a server gave and what it was asked for, over all its lives; held against the log after each start. */
export class Ledger {
  readonly #directory: string
  /** Draw number → `pool: item`. */
  readonly #draws: (string | undefined)[] = []
  #answered = 0
  #most = 0
  /** Draws of requests whose outcome is not known. */
  #open = 0
  readonly #stock: Map<string, { least: number; most: number }>
  #failure: Error | null = null

  constructor(directory: string, stock: ReadonlyMap<string, number>) {
    this.#directory = directory
    this.#stock = new Map([...stock].map(([pool, units]) => [pool, { least: units, most: units }]))
  }

  asked(count: number): void {
    this.#open += count
  }

  refused(count: number): void {
    this.#open -= count
  }

  answered(pool: string, id: number, items: readonly string[], count: number): void {
    if (items.length !== count) throw new Error(`${count} draws were asked for, and ${items.length} answered`)
    this.#open -= count
    for (const [k, item] of items.entries()) {
      const number = id + k
      if (this.#draws[number] !== undefined) throw new Error(`draw ${number} was answered twice`)
      this.#draws[number] = `${pool}: ${item}`
    }
    this.#answered += count
    this.#most = Math.max(this.#most, id + count - 1)
  }

  restockAsked(pool: string, units: number): void {
    this.#stock.get(pool)!.most += units
  }

  restockAnswered(pool: string, units: number): void {
    this.#stock.get(pool)!.least += units
  }

  fail(error: Error): void {
    this.#failure ??= error
  }

  /** Holds the log and the server against all that was answered. Throws at the first thing that is not so. */
  async check(url: string): Promise<string> {
    if (this.#failure !== null) throw this.#failure
    let checked = 0
    const log = decodeLog(this.#directory, {
      onDraws: (firstDraw, pool, items) => {
        for (const [k, index] of items.entries()) {
          const answered = this.#draws[firstDraw + k]
          if (answered === undefined) continue
          const logged = `${pool.id}: ${pool.items[index]!.id}`
          if (logged !== answered)
            throw new Error(`draw ${firstDraw + k} was answered as ${answered}, and the log has ${logged}`)
          checked++
        }
      },
    })
    // The decoder has seen to it that numbers have no gap and that no item was drawn beyond its stock.
    if (checked !== this.#answered)
      throw new Error(`${this.#answered} draws were answered, and the log has ${checked}`)
    const unasked = log.drawNumber - this.#answered - this.#open
    if (unasked > 0) throw new Error(`the log has ${unasked} draws that nobody asked for`)
    for (const pool of log.pools.values()) this.#checkStock(pool)
    for (const pool of log.pools.values()) await checkPool(url, pool)
    const { lsn } = log.position
    const segment = log.batches.at(-1)!.segment
    return `${this.#answered} answered draws are in the log of ${log.drawNumber}; LSN ${lsn}, segment ${segment}`
  }

  #checkStock(pool: DecodedPool): void {
    let stock = 0
    for (const item of pool.items) if (item.stock !== 'unlimited') stock += item.stock
    const { least, most } = this.#stock.get(pool.id)!
    if (stock < least || stock > most)
      throw new Error(`pool ${pool.id} has a stock of ${stock}; restocks make it ${least} to ${most}`)
  }
}

/** The server shows the numbers of the log. */
async function checkPool(url: string, pool: DecodedPool): Promise<void> {
  const response = await fetch(`${url}/v1/pools/${pool.id}`)
  const shown = (await response.json()) as PoolState
  for (const [index, { id, stock, drawn }] of pool.items.entries()) {
    const item = shown.items[index]
    const remaining = stock === 'unlimited' ? stock : stock - drawn
    const same =
      item?.id === id && item.stock === stock && item.drawn === drawn && item.remaining === remaining
    if (!same || (typeof remaining === 'number' && remaining < 0))
      throw new Error(
        `${pool.id}/${id}: ${JSON.stringify({ stock, drawn, remaining })}, shown ${JSON.stringify(item)}`,
      )
  }
}
