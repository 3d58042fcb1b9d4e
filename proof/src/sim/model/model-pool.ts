import type { ItemManifest, ItemUpdate, PoolManifest, Status } from '@kuji/engine/contract'

interface ModelItem {
  readonly id: string
  weight: number
  /** Infinity where unlimited. */
  stock: number
  drawn: number
  /** Place among the changes of items of this pool. */
  changed: number
}

/** A pool as the documents describe it, kept in the plainest way: every question is answered by a look at all items. */
export class ModelPool {
  readonly id: string
  readonly number: number
  version = 1
  status: Status = 'open'
  mode = 'weighted'
  fallback = ''
  lastOne = ''
  items: ModelItem[] = []
  /** Drawn units of items that a later manifest left out. */
  readonly retired = new Map<string, number>()
  #changes = 0
  /** Those that chance gives, the one changed last before the others, and the fallback behind them. */
  #byChance: readonly ModelItem[] = []

  constructor(number: number, manifest: PoolManifest) {
    this.number = number
    this.id = manifest.id
    this.#take(manifest)
  }

  #take(manifest: PoolManifest): void {
    for (const { id, drawn } of this.items) if (drawn > 0) this.retired.set(id, drawn)
    this.mode = manifest.mode ?? 'weighted'
    this.fallback = manifest.fallback ?? ''
    this.lastOne = manifest.lastOne ?? ''
    this.items = manifest.items.map(item => {
      const drawn = this.retired.get(item.id) ?? 0
      this.retired.delete(item.id)
      return { id: item.id, weight: item.weight ?? 0, stock: unitsOf(item), drawn, changed: 0 }
    })
    this.#orderByChange()
  }

  put(manifest: PoolManifest): void {
    this.#take(manifest)
    this.version++
  }

  /** Whether a manifest says what is so already. */
  says({ mode = 'weighted', fallback = '', lastOne = '', items }: PoolManifest): boolean {
    const same = mode === this.mode && fallback === this.fallback && lastOne === this.lastOne
    if (!same || items.length !== this.items.length) return false
    return items.every((item, place) => {
      const { id, weight, stock } = this.items[place]!
      return item.id === id && (item.weight ?? 0) === weight && unitsOf(item) === stock
    })
  }

  /** Whether a manifest has less of an item than was drawn of it. */
  isShortOf(manifest: PoolManifest): boolean {
    return manifest.items.some(item => unitsOf(item) < this.drawnOf(item.id))
  }

  drawnOf(id: string): number {
    return this.items.find(item => item.id === id)?.drawn ?? this.retired.get(id) ?? 0
  }

  /** Why a change of an item is refused, or ''. */
  refuses(id: string, { restock = 0, weight }: ItemUpdate): '' | 'ITEM_NOT_FOUND' | 'INVALID' {
    const item = this.items.find(each => each.id === id)
    if (item === undefined) return 'ITEM_NOT_FOUND'
    if (restock > 0 && item.stock === Number.POSITIVE_INFINITY) return 'INVALID'
    if (weight !== undefined && this.mode === 'urn') return 'INVALID'
    if (weight === 0 && id !== this.fallback) return 'INVALID'
    return ''
  }

  update(id: string, { restock = 0, weight }: ItemUpdate): void {
    const item = this.items.find(each => each.id === id)!
    item.stock += restock
    if (weight !== undefined) item.weight = weight
    item.changed = ++this.#changes
    this.#orderByChange()
    this.version++
  }

  /** Units that chance can still give. */
  get left(): number {
    return this.items.reduce(
      (sum, { id, stock, drawn }) => (id === this.lastOne ? sum : sum + stock - drawn),
      0,
    )
  }

  /** Whether so many draws, of those left, are followed by the extra item. */
  addsLastOne(draws: number): boolean {
    const extra = this.items.find(({ id }) => id === this.lastOne)
    return extra !== undefined && draws === this.left && extra.stock > extra.drawn
  }

  #orderByChange(): void {
    const rank = ({ id, changed }: ModelItem): number => (id === this.fallback ? -1 : changed)
    this.#byChance = this.items
      .filter(({ id }) => id !== this.lastOne)
      .sort((one, other) => rank(other) - rank(one))
  }

  /** Tells the items that the next draw can give by chance, and the chance of each, in whatever unit. */
  eachChance(tell: (id: string, chance: number) => void): void {
    let gone = 0
    for (const { id, weight, stock, drawn } of this.#byChance) {
      const left = stock - drawn
      if (left === 0) gone += weight
      else if (this.mode === 'urn') tell(id, left)
      // The fallback comes last, and takes the shares of all that have run out.
      else tell(id, id === this.fallback ? weight + gone : weight)
    }
  }

  /** Takes one unit of an item. Returns why it could not have been drawn, or ''. */
  take(id: string, extra: boolean): string {
    const item = this.items.find(each => each.id === id)
    if (item === undefined) return `"${id}" is no item of ${this.id}`
    if (item.drawn >= item.stock) return `all ${item.stock} of "${id}" were drawn before`
    if (extra !== (id === this.lastOne)) return `"${id}" comes ${extra ? 'as the extra' : 'by chance'}`
    if (this.mode === 'weighted' && item.weight === 0 && this.items.every(each => each.drawn < each.stock))
      return `"${id}" has weight 0, and nothing has run out`
    item.drawn++
    return ''
  }

  /** The pool as reads show it, without the odds. */
  describe(): unknown {
    const show = (units: number): number | string =>
      units === Number.POSITIVE_INFINITY ? 'unlimited' : units
    const drawn = this.items.reduce((sum, item) => sum + item.drawn, 0)
    return {
      id: this.id,
      version: this.version,
      mode: this.mode,
      status: this.status,
      drawn: drawn + [...this.retired.values()].reduce((sum, units) => sum + units, 0),
      fallback: this.fallback,
      lastOne: this.lastOne,
      items: this.items.map(item => ({
        id: item.id,
        weight: this.mode === 'urn' ? 0 : item.weight,
        stock: show(item.stock),
        remaining: show(item.stock - item.drawn),
        held: 0,
        drawn: item.drawn,
      })),
    }
  }
}

function unitsOf({ stock }: ItemManifest): number {
  return stock === 'unlimited' ? Number.POSITIVE_INFINITY : stock
}
