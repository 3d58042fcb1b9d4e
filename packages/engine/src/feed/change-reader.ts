import type { ItemIndexes, LogChange, Status } from '../contract/index.ts'
import type { Rules } from '../pool/manifest.ts'
import type { LoggedRequest } from '../pool/state.ts'
import type { RecordVisitor } from '../record/records.ts'
import type { PoolNames } from './pool-names.ts'

const statusChanges = { open: 'resumed', paused: 'paused', closed: 'closed' } as const

/** Reads the records of a batch as changes with names, keeping the names up to date as it goes. */
export class ChangeReader implements RecordVisitor {
  readonly changes: LogChange[] = []
  readonly #names: PoolNames
  readonly #collect: boolean
  #nextDraw: number

  /** Without `collect`, only the names are kept up to date. */
  constructor(names: PoolNames, firstDraw: number, collect: boolean) {
    this.#names = names
    this.#nextDraw = firstDraw
    this.#collect = collect
  }

  draws(number: number, items: ItemIndexes, start: number, count: number, request?: LoggedRequest): void {
    const id = this.#nextDraw
    this.#nextDraw += count
    if (!this.#collect) return
    const itemIds = this.#names.itemIds(number)
    const drawn: string[] = new Array(count)
    for (let k = 0; k < count; k++) drawn[k] = itemIds[items[start + k]!]!
    const { key = '', recipient = '' } = request ?? {}
    this.changes.push({
      type: 'draws',
      pool: this.#names.id(number),
      id,
      items: drawn,
      ...(key === '' ? {} : { key }),
      ...(recipient === '' ? {} : { recipient }),
    })
  }

  request(number: number, items: ItemIndexes, start: number, count: number, request: LoggedRequest): void {
    this.draws(number, items, start, count, request)
  }

  put(number: number, rules: Rules): void {
    this.#names.set(number, rules.id, rules.itemIds)
    this.#change(number, 'put')
  }

  item(number: number): void {
    this.#change(number, 'updated')
  }

  status(number: number, status: Status): void {
    this.#change(number, statusChanges[status])
  }

  delete(number: number): void {
    this.#change(number, 'deleted')
    this.#names.delete(number)
  }

  keyPolicy(): void {}
  seal(): void {}

  #change(number: number, change: Extract<LogChange, { type: 'pool' }>['change']): void {
    if (this.#collect) this.changes.push({ type: 'pool', pool: this.#names.id(number), change })
  }
}
