import { Agent, request } from 'node:http'
import type { Ledger } from './ledger.ts'

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

const clients = 16

/** Clients that draw and restock as fast as they can until the server is gone. */
export class Load {
  readonly #url: string
  readonly #ledger: Ledger
  readonly #agent = new Agent({ keepAlive: true, maxSockets: clients })
  /** Resolves when the last client has lost its connection. */
  readonly ended: Promise<unknown>

  constructor(url: string, ledger: Ledger) {
    this.#url = url
    this.#ledger = ledger
    this.ended = Promise.all(Array.from({ length: clients }, (_, client) => this.#run(client))).finally(() =>
      this.#agent.destroy(),
    )
  }

  async #run(client: number): Promise<void> {
    const pool = client % 4 === 0 ? 'box' : 'campaign'
    // Most ask for one draw, some for many.
    const count = [1, 1, 1, 7, 1, 100, 1, 1000][client % 8]!
    for (let turn = 0; ; turn++) {
      try {
        const empty = await this.#draw(pool, pool === 'box' ? Math.min(count, 3) : count)
        if (empty || turn % 50 === 49) await this.#restock(pool)
      } catch (error) {
        // The connection broke: the outcome of what was asked is not known.
        if ((error as NodeJS.ErrnoException).code !== undefined) return
        this.#ledger.fail(error as Error)
        return
      }
    }
  }

  /** True where the pool has nothing left. */
  async #draw(pool: string, count: number): Promise<boolean> {
    this.#ledger.asked(count)
    const { status, body } = await this.#send('POST', `/v1/pools/${pool}/draws`, { count })
    if (status === 201) this.#ledger.answered(pool, body.id as number, body.items as string[], count)
    else if (body.code === 'POOL_EMPTY' || body.code === 'INSUFFICIENT_STOCK') this.#ledger.refused(count)
    else if (body.code === 'OVERLOADED') this.#ledger.refused(count)
    else throw new Error(`a draw was answered with ${status} ${JSON.stringify(body)}`)
    return status === 409
  }

  async #restock(pool: string): Promise<void> {
    const [item, units] = pool === 'box' ? ['B', 200] : ['small', 50]
    this.#ledger.restockAsked(pool, units as number)
    const { status, body } = await this.#send('PATCH', `/v1/pools/${pool}/items/${item}`, { restock: units })
    if (status !== 200) throw new Error(`a restock was answered with ${status} ${JSON.stringify(body)}`)
    this.#ledger.restockAnswered(pool, units as number)
  }

  #send(method: string, path: string, body: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request(this.#url + path, {
        method,
        agent: this.#agent,
        headers: { 'content-type': 'application/json' },
      })
      sent.on('error', reject)
      sent.on('response', response => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('error', reject)
        response.on('end', () =>
          resolve({ status: response.statusCode!, body: JSON.parse(text) as Answer['body'] }),
        )
      })
      sent.end(JSON.stringify(body))
    })
  }
}
