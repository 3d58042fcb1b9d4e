import type { Chance } from '../../chance.ts'
import { interestingNumbers, mutateBytes } from './bytes.ts'

/** A field as it stands on the wire; of a message that it holds, as fields again. */
interface Field {
  number: number
  wire: number
  /** Of wire types 0, 1 and 5. */
  value: bigint
  /** Of wire type 2. */
  bytes: Uint8Array
  fields: Field[] | null
}

const wires = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const
const mostDepth = 40

/** The fields of a message, or null where the bytes are none. */
function decode(bytes: Uint8Array, depth = 0): Field[] | null {
  const fields: Field[] = []
  let at = 0
  const varint = (): bigint | null => {
    let value = 0n
    for (let shift = 0n; shift < 70n && at < bytes.length; shift += 7n) {
      const byte = bytes[at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    return null
  }
  while (at < bytes.length) {
    const tag = varint()
    if (tag === null || tag >> 3n === 0n || tag > 0xffffffffn) return null
    const [number, wire] = [Number(tag >> 3n), Number(tag & 7n)]
    const field: Field = { number, wire, value: 0n, bytes: new Uint8Array(0), fields: null }
    if (wire === wires.varint || wire === wires.bytes) {
      const value = varint()
      if (value === null) return null
      field.value = value
    }
    if (wire !== wires.varint) {
      const widths: Record<number, number> = { 1: 8, 2: Number(field.value), 5: 4 }
      const width = widths[wire]
      if (width === undefined || at + width > bytes.length) return null
      field.bytes = bytes.subarray(at, at + width)
      at += width
      if (wire === wires.bytes && depth < mostDepth) field.fields = decode(field.bytes, depth + 1)
    }
    fields.push(field)
  }
  return fields
}

function encodeVarint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Uint8Array.from([...bytes, Number(rest)])
}

function encode(fields: readonly Field[]): Uint8Array {
  return Buffer.concat(
    fields.flatMap(({ number, wire, value, bytes, fields: inner }) => {
      const tag = encodeVarint((BigInt(number) << 3n) | BigInt(wire))
      if (wire === wires.varint) return [tag, encodeVarint(value)]
      const content = inner === null ? bytes : encode(inner)
      return wire === wires.bytes ? [tag, encodeVarint(BigInt(content.length)), content] : [tag, content]
    }),
  )
}

/** A field somewhere in a message, and the list that it stands in. */
function pickField(fields: Field[], chance: Chance): [list: Field[], at: number] {
  let [list, at] = [fields, chance.below(fields.length)]
  for (;;) {
    const inner = list[at]!.fields
    if (inner === null || inner.length === 0 || chance.happens(0.35)) return [list, at]
    list = inner
    at = chance.below(list.length)
  }
}

function changeField(fields: Field[], others: Field[], chance: Chance): void {
  const [list, at] = pickField(fields, chance)
  const field = list[at]!
  switch (chance.below(8)) {
    case 0:
      list.splice(at, 1)
      return
    case 1:
      list.splice(chance.below(list.length + 1), 0, structuredClone(field))
      return
    case 2:
      field.number = chance.happens(0.8)
        ? chance.between(1, 10)
        : chance.pick([0, 15, 16, 2047, 19_000, 2 ** 29 - 1])
      return
    case 3:
      field.wire = chance.below(8)
      return
    case 4: {
      // Ever deeper in itself.
      for (let left = Math.floor(chance.spread(1, 200)); left > 0; left--) {
        const inner = structuredClone(field)
        field.fields = [inner, ...(chance.happens(0.1) ? [inner] : [])]
        field.wire = wires.bytes
        if (chance.happens(0.9)) break
      }
      return
    }
    case 5:
      if (others.length > 0) list.splice(at, 0, structuredClone(others[chance.below(others.length)]!))
      return
    default:
      if (field.wire === wires.varint) field.value = anyNumber(field.value, chance)
      else {
        field.bytes = mutateBytes(
          field.fields === null ? field.bytes : encode(field.fields),
          field.bytes,
          chance,
        )
        field.fields = null
      }
  }
}

function anyNumber(value: bigint, chance: Chance): bigint {
  if (chance.happens(0.3)) return value + BigInt(chance.between(-1, 1))
  return chance.happens(0.2)
    ? chance.pick([-1n, 2n ** 63n, 2n ** 64n - 1n])
    : BigInt(chance.pick(interestingNumbers))
}

/** Mutates a message: its fields, so that lengths are right, or its bytes. */
export function mutateProtobuf(message: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  const fields = chance.happens(0.75) ? decode(message) : null
  if (fields === null || fields.length === 0) return mutateBytes(message, other, chance)
  const others = decode(other) ?? []
  do changeField(fields, others, chance)
  while (fields.length > 0 && chance.happens(0.4))
  return encode(fields)
}
