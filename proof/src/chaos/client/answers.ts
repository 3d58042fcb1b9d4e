import type { Shown, ShownItem, Stock } from '../../history/index.ts'
import { type Fields, listOf, textOf, wholeOf, wordOf } from './shape.ts'

/** A pool as every protocol shows it, once its objects are there by name. */
export function readShown(
  { version, status, drawn, items }: Fields,
  itemOf: (value: unknown) => Fields,
): Shown {
  return {
    kind: 'shown',
    version: wholeOf(version),
    status: wordOf(status, ['open', 'paused', 'closed']),
    drawn: wholeOf(drawn),
    items: listOf(items).map(value => readItem(itemOf(value))),
  }
}

function readItem({ id, stock, remaining, held, drawn }: Fields): ShownItem {
  return {
    id: textOf(id),
    stock: stockOf(stock),
    remaining: stockOf(remaining),
    held: wholeOf(held),
    drawn: wholeOf(drawn),
  }
}

function stockOf(value: unknown): Stock {
  return value === 'unlimited' ? value : wholeOf(value)
}
