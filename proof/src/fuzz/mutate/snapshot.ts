import { createHash } from 'node:crypto'
import { decodeSnapshot } from '../../../../packages/engine/src/snapshot/snapshot.ts'
import type { Chance } from '../../chance.ts'
import { mutateBytes } from './bytes.ts'

const headBytes = 12
const digestBytes = 32
const stateHashAt = 100

function sign(body: Uint8Array): Uint8Array {
  return Buffer.concat([body, createHash('sha256').update(body).digest()])
}

/** A snapshot with its digest made right, and its state hash where the rest can be read. */
export function mendSnapshot(bytes: Uint8Array): Uint8Array {
  const body = Uint8Array.from(bytes.subarray(0, Math.max(0, bytes.length - digestBytes)))
  const signed = sign(body)
  try {
    decodeSnapshot(signed, '')
  } catch (error) {
    const [, hash] = /its state comes to ([0-9a-f]{8})/.exec(String(error)) ?? []
    if (hash === undefined) return signed
    new DataView(body.buffer).setUint32(stateHashAt, Number.parseInt(hash, 16), true)
    return sign(body)
  }
  return signed
}

/** Mutates what stands between the format and the digest, which is made right but for a few. */
export function mutateSnapshot(input: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  if (chance.happens(0.05) || input.length < headBytes + digestBytes) return mutateBytes(input, other, chance)
  const start = chance.happens(0.95) ? headBytes : 0
  const body = input.subarray(start, input.length - digestBytes)
  const digest = input.subarray(input.length - digestBytes)
  const changed = Buffer.concat([input.subarray(0, start), mutateBytes(body, other, chance), digest])
  return chance.happens(0.97) ? mendSnapshot(changed) : changed
}
