import { Chance } from '../chance.ts'
import type { Sample } from './sample.ts'

/** Ways to damage a directory, each with a number of cases that `mutate` numbers from 0. */
export const kinds = ['bit', 'two-bits', 'zeroed-sector', 'swapped-sectors'] as const
export type Kind = (typeof kinds)[number]

/** A directory with something wrong in it. */
export interface Mutant {
  readonly what: string
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Where bytes were changed. */
  readonly places: readonly Place[]
}

interface Place {
  readonly path: string
  readonly offset: number
}

const sectorBytes = 512
/** Cases of a kind that has too many to try them all. */
const pairs = 20_000

/** How many cases a kind has. */
export function countCases({ files }: Sample, kind: Kind): number {
  let bytes = 0
  for (const { length } of files.values()) bytes += length
  if (kind === 'bit') return bytes * 8
  if (kind === 'zeroed-sector') return listSectors(files).length
  return pairs
}

export function mutate(sample: Sample, kind: Kind, place: number): Mutant {
  const chance = new Chance(place, kind)
  switch (kind) {
    case 'bit':
      return flip(sample.files, [place])
    case 'two-bits': {
      const bits = countCases(sample, 'bit')
      return flip(sample.files, [chance.below(bits), chance.below(bits)])
    }
    case 'zeroed-sector': {
      const sector = listSectors(sample.files)[place]!
      const change = new Change(sample.files)
      change.put(sector, new Uint8Array(sectorBytes))
      return change.done(`the sector at ${tell(sector)} is zeros`)
    }
    case 'swapped-sectors': {
      const sectors = listSectors(sample.files)
      const [one, other] = [chance.pick(sectors), chance.pick(sectors)]
      const change = new Change(sample.files)
      const [first, second] = [read(sample.files, one), read(sample.files, other)]
      change.put(one, second)
      change.put(other, first)
      return change.done(`the sectors at ${tell(one)} and ${tell(other)} are swapped`)
    }
  }
}

/** A copy of a directory's files, made file by file as they are changed. */
class Change {
  readonly #files: Map<string, Uint8Array>
  readonly #places: Place[] = []

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#files = new Map(files)
  }

  put({ path, offset }: Place, bytes: Uint8Array): void {
    const copy = this.#files.get(path)!.slice()
    const most = bytes.subarray(0, copy.length - offset)
    for (const [index, byte] of most.entries())
      if (copy[offset + index] !== byte) this.#places.push({ path, offset: offset + index })
    copy.set(most, offset)
    this.#files.set(path, copy)
  }

  done(what: string): Mutant {
    return { what, files: this.#files, places: this.#places }
  }
}

function flip(files: ReadonlyMap<string, Uint8Array>, bits: readonly number[]): Mutant {
  const flipped = new Map(files)
  const places = bits.map(bit => findBit(files, bit))
  for (const { path, offset, mask } of places) {
    const bytes = flipped.get(path)!.slice()
    bytes[offset]! ^= mask
    flipped.set(path, bytes)
  }
  const what = places.map(place => `bit ${Math.log2(place.mask)} of ${tell(place)}`).join(' and ')
  return { what, files: flipped, places }
}

function findBit(files: ReadonlyMap<string, Uint8Array>, bit: number): Place & { readonly mask: number } {
  let offset = bit >> 3
  for (const [path, { length }] of files) {
    if (offset < length) return { path, offset, mask: 1 << (bit & 7) }
    offset -= length
  }
  throw new RangeError(`there is no bit ${bit}`)
}

function listSectors(files: ReadonlyMap<string, Uint8Array>): Place[] {
  return [...files].flatMap(([path, { length }]) =>
    Array.from({ length: Math.ceil(length / sectorBytes) }, (_, sector) => ({
      path,
      offset: sector * sectorBytes,
    })),
  )
}

function read(files: ReadonlyMap<string, Uint8Array>, { path, offset }: Place): Uint8Array {
  return files.get(path)!.subarray(offset, offset + sectorBytes)
}

function tell({ path, offset }: Place): string {
  return `${path.slice(path.lastIndexOf('/') + 1)} offset ${offset}`
}
