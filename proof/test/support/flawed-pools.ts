import type { RandomWords } from '../../../packages/engine/src/random/random-words.ts'
import type { Pools } from '../../src/statistics/pools.ts'
import { type NaiveItem, type NaivePool, NaivePools } from './naive-pools.ts'

/** A mistake that has been made somewhere, and the checks that have to see it. */
export interface Flaw {
  readonly name: string
  readonly seenBy: readonly string[]
  readonly make: new (random: RandomWords) => Pools
}

class ModuloOfByte extends NaivePools {
  protected override below(total: number): number {
    return (this.random.next16() & 0xff) % total
  }
}

/** An alias table in whole numbers, as in a textbook, whose threshold is compared with `<=`. */
class ThresholdOffByOne extends NaivePools {
  #columns: { readonly threshold: number; readonly alias: number }[] = []

  #build(weights: readonly number[], sum: number): void {
    const masses = weights.map(weight => weight * weights.length)
    const columns = masses.map((_, item) => ({ threshold: sum, alias: item }))
    for (let settled = 0; settled < masses.length; settled++) {
      const poor = masses.findIndex(mass => mass >= 0 && mass < sum)
      if (poor < 0) break
      const rich = masses.findIndex(mass => mass > sum)
      columns[poor] = { threshold: masses[poor]!, alias: rich }
      masses[rich]! -= sum - masses[poor]!
      masses[poor] = -1
    }
    this.#columns = columns
  }

  protected override choose({ items }: NaivePool): number {
    const sum = items.reduce((total, { weight }) => total + weight, 0)
    if (this.#columns.length === 0)
      this.#build(
        items.map(({ weight }) => weight),
        sum,
      )
    const roll = this.random.below(sum * items.length)
    const column = Math.floor(roll / sum)
    const { threshold, alias } = this.#columns[column]!
    return roll % sum <= threshold ? column : alias
  }
}

class NotBackAfterRestock extends NaivePools {
  readonly #gone = new Set<NaiveItem>()

  protected override chanceOf(pool: NaivePool, item: NaiveItem): number {
    if (item.stock <= item.drawn) this.#gone.add(item)
    return this.#gone.has(item) ? 0 : super.chanceOf(pool, item)
  }
}

class NotReweighed extends NaivePools {
  protected override reweigh(): void {}
}

class ShareToNeighbour extends NaivePools {
  protected override choose({ items }: NaivePool): number {
    let left = this.below(items.reduce((sum, { weight }) => sum + weight, 0))
    let item = items.findIndex(({ weight }) => {
      left -= weight
      return left < 0
    })
    while (items[item]!.stock <= items[item]!.drawn) item = (item + 1) % items.length
    return item
  }
}

class FallbackForgotten extends NaivePools {
  protected override chanceOf(pool: NaivePool, item: NaiveItem): number {
    return super.chanceOf({ ...pool, fallback: undefined }, item)
  }
}

class TicketsPutBack extends NaivePools {
  readonly #filled = new Map<string, number>()

  protected override chanceOf(_: NaivePool, { id, stock, drawn }: NaiveItem): number {
    // As many as there were when the urn was filled first.
    if (!this.#filled.has(id)) this.#filled.set(id, stock)
    return stock > drawn ? this.#filled.get(id)! : 0
  }
}

/** Shuffles by swapping each place with any other, instead of with one that is left. */
class WrongShuffle extends NaivePools {
  #order: number[] = []

  protected override choose({ items }: NaivePool): number {
    if (this.#order.length === 0) {
      this.#order = items.map((_, item) => item)
      for (let k = 0; k < items.length; k++) {
        const other = this.random.below(items.length)
        ;[this.#order[k], this.#order[other]] = [this.#order[other]!, this.#order[k]!]
      }
    }
    return this.#order.pop()!
  }
}

/** The second pool draws with the word that the first one has had. */
class OneWordForBoth extends NaivePools {
  #word = 0

  protected override choose(pool: NaivePool): number {
    if (pool.id === 'p') this.#word = this.below(100)
    return this.find(pool, this.#word)
  }
}

class SameAgain extends NaivePools {
  #before = 0

  protected override choose(pool: NaivePool): number {
    if (this.random.below(50) > 0) this.#before = super.choose(pool)
    return this.#before
  }
}

class KeyDecides extends NaivePools {
  protected override take(pool: NaivePool, key: string, place: number): number {
    // Drawn anew when the hash says so.
    const item = super.take(pool, key, place)
    return key.endsWith('7') && item === 0 ? super.take(pool, key, place) : item
  }
}

class FirstOfRequest extends NaivePools {
  protected override take(pool: NaivePool, key: string, place: number): number {
    const item = super.take(pool, key, place)
    return place === 0 && item === 0 ? super.take(pool, key, place) : item
  }
}

/** Even, but not by chance: multiples of the golden ratio, which no count of many draws is far from. */
class TooEven extends NaivePools {
  #at = 0

  protected override below(total: number): number {
    this.#at = (this.#at + 0.6180339887498949) % 1
    return Math.floor(this.#at * total)
  }
}

/** Sixteen bits name an item of which there are more. */
class SixteenBitsForAll extends NaivePools {
  protected override choose({ items }: NaivePool): number {
    for (;;) {
      const item = this.random.next16() % items.length
      if (this.random.below(7) < items[item]!.weight) return item
    }
  }
}

/** Chances as multiples of 2^-16. */
class RoundedWeights extends NaivePools {
  protected override choose({ items: [rare, other] }: NaivePool): number {
    const share = Math.max(1, Math.round((rare!.weight / (rare!.weight + other!.weight)) * 2 ** 16))
    return this.random.next16() < share ? 0 : 1
  }
}

/** Two draws of the generator that every C library once had: the low bits of a congruential generator. */
class LowBits extends NaivePools {
  #state = 1

  protected override below(total: number): number {
    this.#state = (Math.imul(this.#state, 1103515245) + 12345) >>> 0
    return (this.#state & 0xfff) % total
  }
}

const six = 'six items, 16 random bits'
const series = ['pairs', 'correlations at lags of 1 to 16', 'gaps', 'runs', 'single draws']

export const flaws: readonly Flaw[] = [
  { name: 'the remainder of a byte', seenBy: [six], make: ModuloOfByte },
  { name: 'a threshold off by one', seenBy: [six], make: ThresholdOffByOne },
  {
    name: 'a weight that does not come back with its stock',
    seenBy: ['one unit, restocked when it was drawn', 'a fallback in place of what has run out'],
    make: NotBackAfterRestock,
  },
  {
    name: 'a weight that stays as it was',
    seenBy: ['reweighed again and again', 'live changes of a pool of 3,000 items'],
    make: NotReweighed,
  },
  {
    name: 'a share that goes to the next item',
    seenBy: [
      'after an item has run out',
      'one unit, restocked when it was drawn',
      'one of each, drained by weight',
    ],
    make: ShareToNeighbour,
  },
  {
    name: 'a fallback that is forgotten',
    seenBy: ['a fallback in place of what has run out', 'after an item with a fallback has run out'],
    make: FallbackForgotten,
  },
  {
    name: 'tickets that are put back',
    seenBy: ['ten of thirty tickets: hypergeometric'],
    make: TicketsPutBack,
  },
  {
    name: 'a shuffle that swaps with any place',
    seenBy: ['all 720 orders of an urn of six tickets', 'places of six tickets'],
    make: WrongShuffle,
  },
  { name: 'one random word for two pools', seenBy: ['two pools in turn'], make: OneWordForBoth },
  { name: 'the draw before again, one time in fifty', seenBy: series, make: SameAgain },
  { name: 'a key that has a say', seenBy: ['draws with a key'], make: KeyDecides },
  { name: 'a first draw unlike the others', seenBy: ['requests of ten draws'], make: FirstOfRequest },
  { name: 'draws that are too even', seenBy: ['two equal items', six, 'single draws'], make: TooEven },
  { name: 'sixteen bits for 70,000 items', seenBy: ['70,000 items'], make: SixteenBitsForAll },
  {
    name: 'weights rounded to sixteen bits',
    seenBy: ['an item of 1 in 100,000'],
    make: RoundedWeights,
  },
  { name: 'the low bits of a bad generator', seenBy: ['pairs', 'runs'], make: LowBits },
]
