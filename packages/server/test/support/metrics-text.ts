import assert from 'node:assert/strict'

/** A page of metrics as a reader of Prometheus' text format takes it. */
export class MetricsText {
  readonly types = new Map<string, string>()
  readonly #samples = new Map<string, number>()

  constructor(text: string) {
    for (const line of text.split('\n')) {
      if (line === '' || line.startsWith('# HELP ')) continue
      const [, name, type] = /^# TYPE (\w+) (\w+)$/.exec(line) ?? []
      if (name !== undefined) {
        assert.ok(!this.types.has(name), `${name} stands twice`)
        this.types.set(name, type!)
        continue
      }
      const match =
        /^(\w+(?:\{(?:\w+="(?:[^"\\\n]|\\.)*",?)*\})?) (-?[\d.]+(?:e[+-]?\d+)?|[+-]Inf|Nan)$/.exec(line)
      assert.ok(match, `not a sample: ${line}`)
      assert.ok(!this.#samples.has(match[1]!), `${match[1]} stands twice`)
      this.#samples.set(match[1]!, Number(match[2]))
    }
  }

  /** The value of a sample, by its name and labels as they are written; undefined where there is none. */
  value(sample: string): number | undefined {
    return this.#samples.get(sample)
  }

  static async scrape(url: string, headers: Record<string, string> = {}): Promise<MetricsText> {
    const response = await fetch(`${url}/metrics`, { headers })
    const text = await response.text()
    assert.equal(response.status, 200, text)
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    return new MetricsText(text)
  }
}
