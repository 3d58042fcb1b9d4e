import type { Chance } from '../chance.ts'
import type { LogRecord, RecordedBatch } from './recorded-appender.ts'
import { type Device, splitPath } from './world/device.ts'

export interface Damage {
  /** Name of the file. */
  readonly file: string
  readonly what: string
}

/** What the device itself does to bytes that it had taken: rot, and writes that went astray. Null for nothing. */
export function damage(device: Device, directory: string, record: LogRecord, chance: Chance): Damage | null {
  const files = [...device.entries(directory)].filter(([, { size }]) => size > 0)
  if (files.length === 0) return null
  const [name, inode] = chance.pick(files)
  switch (chance.below(4)) {
    case 0: {
      const bits = chance.pick([1, 1, 3])
      inode.damage(bytes => {
        for (let bit = 0; bit < bits; bit++) bytes[chance.below(bytes.length)]! ^= 1 << chance.below(8)
      })
      return { file: name, what: `${bits} bits of ${name}` }
    }
    case 1: {
      const start = chance.below(Math.ceil(inode.size / 512)) * 512
      inode.damage(bytes => bytes.fill(0, start, start + 512))
      return { file: name, what: `zeros in ${name} from ${start}` }
    }
    case 2: {
      const [from, other] = chance.pick(files)
      const [source, target] = [chance.below(other.size), chance.below(inode.size)].map(at => at & ~511) as [
        number,
        number,
      ]
      const sector = other.read().subarray(source, source + 512)
      inode.damage(bytes => bytes.set(sector.subarray(0, bytes.length - target), target))
      return { file: name, what: `what belongs to ${from} at ${source} in ${name} at ${target}` }
    }
    default:
      return loseWrite(device, record, chance)
  }
}

/** One of the last batches, or a sector of it, never arrived. */
function loseWrite(device: Device, record: LogRecord, chance: Chance): Damage | null {
  const batch = record.batches.get(record.durable - chance.below(3))
  if (batch === undefined || !isThere(device, batch)) return null
  const { lsn, path, position, bytes } = batch
  const part = chance.happens(0.5) ? bytes.length : Math.min(bytes.length, 512)
  device.find(path).damage(file => file.fill(0, position, position + part))
  return { file: splitPath(path)[1], what: `${part} bytes of batch ${lsn} in ${path} at ${position}` }
}

/** Whether a batch stands on the disk as it was written. */
export function isWhole(device: Device, batch: RecordedBatch): boolean {
  if (!isThere(device, batch)) return false
  const { path, position, bytes } = batch
  const content = device
    .find(path)
    .read()
    .subarray(position, position + bytes.length)
  return Buffer.compare(content, bytes) === 0
}

function isThere(device: Device, { path }: RecordedBatch): boolean {
  try {
    device.find(path)
    return true
  } catch {
    return false
  }
}
