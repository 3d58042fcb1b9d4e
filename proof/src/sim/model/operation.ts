import type { Code, ItemUpdate, PoolManifest, Status } from '@kuji/engine/contract'

/** What a client asks for. */
export type Operation =
  | DrawOperation
  | { readonly kind: 'put'; readonly manifest: PoolManifest; readonly ifVersion?: number }
  | {
      readonly kind: 'update'
      readonly pool: string
      readonly item: string
      readonly update: ItemUpdate
      readonly ifVersion?: number
    }
  | { readonly kind: 'status'; readonly pool: string; readonly status: Status }
  | { readonly kind: 'delete'; readonly pool: string }
  | { readonly kind: 'read'; readonly pool: string }
  | { readonly kind: 'receipt'; readonly draw: number }

export interface DrawOperation {
  readonly kind: 'draw'
  readonly pool: string
  readonly count: number
  readonly partial: boolean
  /** Asked through `drawMany`. Such a draw has neither key nor recipient. */
  readonly bulk: boolean
  /** '' for none. */
  readonly key: string
  readonly recipient: string
}

/** What the engine said. */
export type Answer = { readonly value: unknown } | { readonly refusal: Code }

/** Refusals that come of how the machine is doing, not of what was asked for: they change nothing. */
export const circumstances: ReadonlySet<Code> = new Set(['READ_ONLY', 'INTERNAL'])

const longest = 160

/** A text of any length, to be read in a line. */
export function shorten(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`
}

export function describeOperation(operation: Operation): string {
  if (operation.kind === 'put') {
    const { manifest, ifVersion } = operation
    const { id, mode = 'weighted', items } = manifest
    const units = items.map(({ stock }) => stock).join(' ')
    const condition = ifVersion === undefined ? '' : `, if it has version ${ifVersion}`
    return `put ${id}, ${mode}, ${items.length} items: ${shorten(units)}${condition}`
  }
  if (operation.kind !== 'draw') return JSON.stringify(operation)
  const { pool, count, partial, bulk, key, recipient } = operation
  const words = [bulk ? 'drawMany' : 'draw', pool, count]
  if (partial) words.push('partial')
  if (key !== '') words.push(`key ${key}`)
  if (recipient !== '') words.push(`for ${recipient}`)
  return words.join(' ')
}
