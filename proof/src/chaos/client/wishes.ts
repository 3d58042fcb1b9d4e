import type { Chance } from '../../chance.ts'
import type { DrawRequest, Outcome, Request } from '../../history/index.ts'
import type { Protocol } from './door.ts'

const counts = [1, 1, 1, 1, 1, 1, 1, 2, 3, 7, 10, 100]
const pools = ['campaign', 'campaign', 'box', 'scarce', 'switch']
const restocks = [
  ['campaign', 'grand', 1],
  ['campaign', 'small', 50],
  ['box', 'B', 60],
  ['box', 'last', 1],
  ['scarce', 'few', 20],
  ['scarce', 'fewer', 5],
] as const

/** Keys that have been used stay here for a while, to be asked again. */
const rememberedKeys = 200

/** Pools of a client's own. */
const mostPools = 8

/** What one client asks next. */
export class Wishes {
  readonly #chance: Chance
  readonly #protocol: Protocol
  readonly #client: string
  readonly #used: DrawRequest[] = []
  #keys = 0
  #pools = 0
  readonly #run = Date.now().toString(36)

  constructor(chance: Chance, protocol: Protocol, client: string) {
    this.#chance = chance
    this.#protocol = protocol
    this.#client = client
  }

  next(): Request {
    const dice = this.#chance.below(1000)
    if (dice < 520) return this.#draw()
    if (dice < 760) return this.#keyedDraw()
    if (dice < 820) return this.#drawAgain()
    if (dice < 830) return this.#otherRequest()
    if (dice < 900) return this.#restock()
    if (dice < 950) return { kind: 'read', pool: this.#pool() }
    if (dice < 970) return this.#putOwn()
    return this.#protocol === 'http' ? this.#change() : this.#draw()
  }

  /** What was learnt of a key. */
  answered(request: Request, outcome: Outcome): void {
    if (request.kind !== 'draw' || request.key === undefined || outcome.kind !== 'drawn') return
    if (this.#used.length < rememberedKeys) this.#used.push(request)
    else this.#used[this.#chance.below(rememberedKeys)] = request
  }

  #pool(): string {
    return this.#chance.pick(pools)
  }

  #draw(): DrawRequest {
    const partial = this.#chance.happens(0.1) ? { partial: true } : {}
    const recipient = this.#chance.happens(0.1) ? { recipient: `user-${this.#chance.below(20)}` } : {}
    return { kind: 'draw', pool: this.#pool(), count: this.#chance.pick(counts), ...partial, ...recipient }
  }

  #keyedDraw(): DrawRequest {
    return { ...this.#draw(), key: `${this.#client}-${this.#run}-${this.#keys++}` }
  }

  #drawAgain(): DrawRequest {
    return this.#used.length === 0 ? this.#keyedDraw() : this.#chance.pick(this.#used)
  }

  #otherRequest(): DrawRequest {
    const request = this.#drawAgain()
    return { ...request, count: request.count + 1 }
  }

  #restock(): Request {
    const [pool, item, units] = this.#chance.pick(restocks)
    return { kind: 'restock', pool, item, units }
  }

  /** A pool of the client's own: new, or with other rules. */
  #putOwn(): Request {
    if (this.#pools === 0 || (this.#pools < mostPools && this.#chance.happens(0.2))) this.#pools++
    const items = Array.from({ length: 1 + this.#chance.below(4) }, (_, k) => ({
      id: `item-${k}`,
      stock: k === 0 ? ('unlimited' as const) : this.#chance.below(100),
    }))
    return { kind: 'put', pool: this.#ownPool(), items }
  }

  #ownPool(): string {
    return `${this.#client}-${this.#run}-${this.#chance.below(this.#pools)}`
  }

  #change(): Request {
    const dice = this.#chance.below(4)
    if (dice === 0) return { kind: 'status', pool: 'switch', status: 'paused' }
    if (dice === 1) return { kind: 'status', pool: 'switch', status: 'open' }
    if (dice === 2)
      return { kind: 'reweigh', pool: 'campaign', item: 'small', weight: 1 + this.#chance.below(50) }
    if (this.#pools > 0 && this.#chance.happens(0.3))
      return { kind: 'status', pool: this.#ownPool(), status: 'closed' }
    return { kind: 'draw', pool: this.#pools > 0 ? this.#ownPool() : 'campaign', count: 3, partial: true }
  }
}
