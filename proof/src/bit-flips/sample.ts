import type { Kuji, PoolManifest } from '@kuji/engine'
import { decodeLog } from '../../../test/support/log-decoder.ts'
import { Chance } from '../chance.ts'
import { Device } from '../sim/world/device.ts'
import { directory, QuietMachine } from '../sim/world/quiet-machine.ts'

/** How the run ended that left the directory behind. */
export const ends = ['idle', 'shutdown'] as const
export type End = (typeof ends)[number]

/** A keyed draw that was answered. */
export interface KeyedDraw {
  readonly key: string
  readonly id: number
  readonly items: readonly string[]
}

/** A data directory to be damaged. */
export interface Sample {
  readonly segmentBytes: number
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Where the batches of the log stand, as an independent reader finds them. */
  readonly batches: readonly { readonly path: string; readonly from: number; readonly to: number }[]
  readonly drawNumber: number
  readonly keyed: readonly KeyedDraw[]
}

const keyedCount = 20
const recipient = '誰か'

/** Item `rare` has little stock, and more of it comes: what is lost or doubled shows. */
const pool: PoolManifest = {
  id: 'p',
  items: [
    { id: 'rare', weight: 1, stock: 5 },
    { id: 'usual', weight: 9, stock: 'unlimited' },
  ],
  metadata: 'a pool to be damaged',
}

/**
 * Makes a directory whose two snapshots are followed by a log of four segments, `logBytes` together, of which a start
 * has to read every batch. Beside them stand the segment between the snapshots, and the next one, not yet begun.
 */
export async function makeSample(end: End, logBytes: number): Promise<Sample> {
  const segmentBytes = logBytes / 4
  const chance = new Chance(1, 'sample')
  const device = new Device({ sectorBytes: 512, nameOrder: 'any', chance })
  device.makeDirectory('')
  const machine = new QuietMachine({ device })
  const keyed: KeyedDraw[] = []
  const drawUpTo = async (kuji: Kuji, isEnough: () => boolean): Promise<void> => {
    while (!isEnough()) {
      await drawSome(kuji, keyed, chance)
      await machine.time.wait(10)
    }
  }
  const life = async (): Promise<void> => {
    const first = await machine.open({ segmentBytes })
    await first.putPool(pool)
    await drawUpTo(first, () => first.status().segment === 3)
    await first.close()
    const kuji = await machine.open({ segmentBytes }, false)
    await drawUpTo(kuji, () => kuji.status().segment === 6 && isHalfFull(device, 6))
    // An idle log is sealed after a tenth of a second.
    if (end === 'idle') await machine.time.wait(1000)
    else await kuji.close()
  }
  await machine.time.run(life())
  const all = device.filesBelow(directory)
  const { batches, drawNumber } = decodeLog(all)
  const live = [...all].filter(([name]) => !name.startsWith('archive/'))
  return {
    segmentBytes,
    files: new Map(live.map(([name, bytes]) => [`${directory}/${name}`, bytes])),
    batches: batches.map(({ segment, offset, length }) => ({
      path: `${directory}/${nameOf(segment)}`,
      from: offset,
      to: offset + length,
    })),
    drawNumber,
    keyed,
  }
}

function isHalfFull(device: Device, segment: number): boolean {
  const bytes = device.find(`${directory}/${nameOf(segment)}`).read()
  return bytes.subarray(bytes.length / 2).some(byte => byte !== 0)
}

function nameOf(segment: number): string {
  return `segment-${String(segment).padStart(10, '0')}.log`
}

async function drawSome(kuji: Kuji, keyed: KeyedDraw[], chance: Chance): Promise<void> {
  if (chance.happens(0.1)) await kuji.updateItem('p', 'rare', { restock: chance.between(1, 3) })
  if (chance.happens(0.8)) {
    await kuji.drawMany('p', chance.between(100, 600))
    return
  }
  const key = `key-${keyed.length}`
  const { id, items } = await kuji.draw('p', { count: keyedCount, key, recipient })
  keyed.push({ key, id, items })
}

/** Asks for every keyed draw again; what is told differently, or ''. */
export async function askAgain(kuji: Kuji, keyed: readonly KeyedDraw[]): Promise<string> {
  for (const { key, id, items } of keyed) {
    const again = await kuji.draw('p', { count: keyedCount, key, recipient })
    if (!again.replayed || again.id !== id || again.items.join() !== items.join())
      return `key ${key} was answered with draw ${id}, and is answered with ${again.id} now`
  }
  return ''
}
