import type { Chance } from '../chance.ts'
import type { LogRecord, RecordedBatch } from './log-record.ts'
import { type Device, splitPath } from './world/device.ts'
import type { Inode } from './world/inode.ts'

export interface Damage {
  readonly kind: string
  /** Names of the files that it hit. */
  readonly files: readonly string[]
  /** Where it hit them. */
  readonly what: string
}

const sectorBytes = 512

type Files = readonly (readonly [name: string, inode: Inode])[]

/**
 * What the device itself does to bytes that it had taken: rot, writes that never arrived or went astray, files that are
 * lost or have changed places. Null for nothing.
 */
export function damage(device: Device, directory: string, record: LogRecord, chance: Chance): Damage | null {
  const files = [...device.entries(directory)].filter(([, { size }]) => size > 0)
  if (files.length === 0) return null
  const [name, inode] = chance.pick(files)
  const kind = chance.below(20)
  if (kind < 6) return rot(name, inode, chance)
  if (kind < 9) {
    const start = sectorIn(inode, chance)
    inode.damage(bytes => bytes.fill(0, start, start + sectorBytes))
    return { kind: 'sector of zeros', files: [name], what: `zeros in ${name} from ${start}` }
  }
  if (kind < 11) return misdirect(device, record, files, chance)
  if (kind < 12) {
    const [from, other] = chance.pick(files)
    const [source, target] = [sectorIn(other, chance), sectorIn(inode, chance)]
    const sector = other.read().subarray(source, source + sectorBytes)
    inode.damage(bytes => bytes.set(sector.subarray(0, bytes.length - target), target))
    const what = `what belongs to ${from} at ${source} in ${name} at ${target}`
    return { kind: 'misdirected write', files: [name], what }
  }
  if (kind < 17) return loseWrite(device, record, files, chance)
  return misplace(device, directory, files, chance)
}

function sectorIn({ size }: Inode, chance: Chance): number {
  return chance.below(Math.ceil(size / sectorBytes)) * sectorBytes
}

function rot(name: string, inode: Inode, chance: Chance): Damage {
  const bits = chance.pick([1, 1, 3])
  inode.damage(bytes => {
    for (let bit = 0; bit < bits; bit++) bytes[chance.below(bytes.length)]! ^= 1 << chance.below(8)
  })
  return { kind: 'bit rot', files: [name], what: `${bits} bits of ${name}` }
}

/** A batch went to another place than its own, where what was there before still is. */
function misdirect(device: Device, record: LogRecord, files: Files, chance: Chance): Damage | null {
  const lost = loseWrite(device, record, files, chance)
  if (lost === null) return null
  const [name, inode] = chance.pick(files)
  const at = sectorIn(inode, chance)
  inode.damage(bytes => bytes.set(lost.bytes.subarray(0, bytes.length - at), at))
  return {
    kind: 'misdirected write',
    files: [...lost.files, name],
    what: `${lost.what} went to ${name} at ${at}`,
  }
}

/** One of the last batches, or a sector of it, never arrived: there are zeros, or what a file held before. */
function loseWrite(
  device: Device,
  record: LogRecord,
  files: Files,
  chance: Chance,
): (Damage & { readonly bytes: Uint8Array }) | null {
  const batch = record.batches.get(record.durable - chance.below(3))
  const inode = batch === undefined ? undefined : inodeOf(device, batch)
  if (batch === undefined || inode === undefined) return null
  const { lsn, path, position, bytes } = batch
  const part = chance.happens(0.5) ? bytes.length : Math.min(bytes.length, sectorBytes)
  // Another file may have its name by now.
  if (position + part > inode.size) return null
  const before = new Uint8Array(part)
  if (chance.happens(0.5))
    before.set(
      chance
        .pick(files)[1]
        .read()
        .subarray(position, position + part),
    )
  inode.damage(file => file.set(before, position))
  const what = `${part} bytes of batch ${lsn} in ${path} at ${position}`
  return { kind: 'lost write', files: [splitPath(path)[1]], what, bytes: bytes.subarray(0, part) }
}

function inodeOf(device: Device, { path }: RecordedBatch): Inode | undefined {
  const [directory, name] = splitPath(path)
  return device.entries(directory).get(name)
}

/** A file is gone, or two have each other's names. */
function misplace(device: Device, directory: string, files: Files, chance: Chance): Damage | null {
  const ours = files.map(([name]) => name).filter(name => /^segment-\d+\.log$|\.snap$/.test(name))
  if (ours.length < 2) return null
  const [one, other] = chance.shuffle(ours) as [string, string]
  const [path, otherPath] = [`${directory}/${one}`, `${directory}/${other}`]
  if (chance.happens(0.5)) {
    device.remove(path)
    device.syncDirectory(directory)
    return { kind: 'lost file', files: [one], what: `${one} is gone` }
  }
  const [first, second] = [device.find(path), device.find(otherPath)]
  device.put(path, second)
  device.put(otherPath, first)
  return { kind: 'swapped files', files: [one, other], what: `${one} and ${other} have each other's names` }
}
