import { limits } from '../contract/index.ts'
import type { Edition } from '../keys/editions.ts'
import { givenOf } from '../keys/key-entries.ts'
import { secretBytes } from '../keys/key-table.ts'
import { widthOf } from '../keys/outcome-width.ts'
import { applyKeyPolicy, type State } from '../pool/state.ts'
import type { ByteReader, ByteWriter } from '../record/bytes.ts'
import { MalformedBytes } from '../record/bytes.ts'
import { OutcomeViews } from '../record/records.ts'

/**
 * The keys of a snapshot: the policy, the editions (a pool id and the items that outcomes are indexes of), then the
 * draws, oldest first, each against the one before. docs/data-format.md tells the layout. Calls `filled` between
 * entries, when there is something to be written out.
 */
export async function writeKeys(
  writer: ByteWriter,
  state: State,
  filled: () => Promise<void> | undefined,
): Promise<void> {
  const { keys, pools } = state
  writer.u8(keys.policy === null ? 0 : 1)
  if (keys.policy === null) return
  writer.u53(keys.policy.retentionMs)
  writer.u32(keys.policy.most)
  writer.raw(keys.policy.secret)
  const [from, to] = keys.range
  const numbers = numberEditions(state)
  writer.varint(numbers.size)
  for (const number of numbers.keys()) {
    const { pool, itemIds } = keys.editionAt(number)
    const live = pools.get(pool)?.itemIds === itemIds
    writer.text(pool)
    // The items of a pool that is there need not be said again.
    writer.varint(live ? 0 : itemIds.length)
    if (!live) for (const id of itemIds) writer.text(id)
    const pending = filled()
    if (pending !== undefined) await pending
  }
  writer.varint(to - from)
  let [lastDraw, lastTime] = [0, 0]
  for (let position = from; position < to; position++) {
    const entry = keys.read(position)
    for (let word = 0; word < 4; word++) writer.u32(keys.hashWord(position, word))
    writer.varint(entry.firstDraw - lastDraw)
    writer.varint(entry.time - lastTime)
    writer.varint(numbers.get(entry.edition)!)
    writer.varint(entry.version)
    writer.u32(entry.request)
    writer.u32(entry.recipient)
    writer.raw(keys.outcomesOf(entry))
    lastDraw = entry.firstDraw
    lastTime = entry.time
    const pending = filled()
    if (pending !== undefined) await pending
  }
}

/** Editions in the order in which the draws come to them, each with its number in the snapshot. */
function numberEditions({ keys }: State): Map<number, number> {
  const numbers = new Map<number, number>()
  const [from, to] = keys.range
  for (let position = from; position < to; position++) {
    const { edition } = keys.read(position)
    if (!numbers.has(edition)) numbers.set(edition, numbers.size)
  }
  return numbers
}

/** Reads what writeKeys wrote, into a state that has its pools. Throws MalformedBytes. */
export function readKeys(reader: ByteReader, state: State): void {
  if (reader.u8() === 0) return
  const retentionMs = reader.u53()
  const most = reader.u32()
  const secret = Uint8Array.from(reader.raw(secretBytes))
  if (retentionMs === 0 || most === 0) throw new MalformedBytes('a policy without a bound')
  const { hash } = state
  applyKeyPolicy(state, { retentionMs, most, secret })
  const editions = readEditions(reader, state)
  const words = new Uint32Array(4)
  let [firstDraw, time] = [0, 0]
  for (let left = reader.varint(); left > 0; left--) {
    for (let word = 0; word < 4; word++) words[word] = reader.u32()
    firstDraw += reader.varint()
    time += reader.varint()
    const edition = editions[reader.varint()]
    const version = reader.varint()
    const request = reader.u32()
    const recipient = reader.u32()
    if (edition === undefined) throw new MalformedBytes('a key of an unknown edition')
    const given = givenOf(request)
    if (given === 0 || firstDraw + given - 1 > state.drawNumber)
      throw new MalformedBytes(`a key of ${given} draws from ${firstDraw}`)
    if (time > limits.time) throw new MalformedBytes('a key whose time is beyond all times')
    const { length } = edition.itemIds
    const width = widthOf(length)
    const items = viewOutcomes(reader.raw(given * width), width, length)
    state.keys.restore(words, edition, { firstDraw, time, version, request, recipient }, items)
  }
  // The hash of the whole was read with the snapshot; what is there must come to it.
  state.hash = hash
}

function readEditions(reader: ByteReader, { pools }: State): Edition[] {
  const editions: Edition[] = []
  for (let left = reader.varint(); left > 0; left--) {
    const pool = reader.text()
    const count = reader.varint()
    if (count > reader.rest) throw new MalformedBytes(`${count} items in ${reader.rest} bytes`)
    const live = pools.get(pool)?.itemIds
    if (count === 0 && live === undefined)
      throw new MalformedBytes(`an edition of "${pool}", which is not there`)
    editions.push({ pool, itemIds: count === 0 ? live! : Array.from({ length: count }, () => reader.text()) })
  }
  return editions
}

/** Outcomes as the numbers they are, each of them an item. */
function viewOutcomes(bytes: Uint8Array, width: 1 | 2 | 4, items: number): ReturnType<OutcomeViews['of']> {
  if (bytes.length > (limits.drawCount + 1) * width)
    throw new MalformedBytes(`${bytes.length} bytes of outcomes`)
  // A copy: what stands in the snapshot is at no multiple of its width.
  const outcomes = width === 1 ? bytes : new OutcomeViews(aligned(bytes)).of(width)
  const count = bytes.length / width
  for (let k = 0; k < count; k++)
    if (outcomes[k]! >= items) throw new MalformedBytes(`item ${outcomes[k]} of ${items}`)
  return outcomes
}

function aligned(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array((bytes.length + 7) & ~7)
  copy.set(bytes)
  return copy
}
