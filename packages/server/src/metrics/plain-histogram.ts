/** What prom-client asks of a metric when it is scraped. */
interface Sample {
  readonly metricName: string
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
}

/**
 * A histogram that costs its observer a few nanoseconds. The one of prom-client looks its labels up in a map each time,
 * and there are three of them a batch. It is rendered by prom-client's registry like any other metric.
 */
export class PlainHistogram {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly #bounds: Float64Array
  /** Of each bucket alone; the last one is beyond every bound. */
  readonly #counts: Float64Array
  #sum = 0

  /** Bounds are upper ones, in ascending order. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name
    this.help = help
    this.#bounds = Float64Array.from(bounds)
    this.#counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    let bucket = 0
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++
    this.#counts[bucket]!++
    this.#sum += value
  }

  async get(): Promise<{ name: string; help: string; type: string; values: readonly Sample[] }> {
    const { name, help, type } = this
    const values: Sample[] = []
    let count = 0
    for (const [bucket, inside] of this.#counts.entries()) {
      count += inside
      const le = this.#bounds[bucket] ?? '+Inf'
      values.push({ metricName: `${name}_bucket`, value: count, labels: { le } })
    }
    values.push({ metricName: `${name}_sum`, value: this.#sum, labels: {} })
    values.push({ metricName: `${name}_count`, value: count, labels: {} })
    return { name, help, type, values }
  }
}
