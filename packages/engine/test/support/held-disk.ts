import { FaultyDisk } from './faulty-disk.ts'
import type { Gate } from './gate.ts'
import { gate } from './gate.ts'

/** A log whose writes to segments wait at a gate from the moment `hold` is called. */
export function heldDisk(): { disk: FaultyDisk; hold: () => Gate } {
  let held: Gate | null = null
  const disk = new FaultyDisk(async ({ operation, name }) => {
    if (held !== null && operation === 'write' && /^segment-\d+\.log$/.test(name)) await held.pass()
    return undefined
  })
  const hold = (): Gate => {
    held = gate()
    const mine = held
    return {
      ...mine,
      reached: mine.reached,
      open() {
        // Another may hold already what comes behind this one.
        if (held === mine) held = null
        mine.open()
      },
    }
  }
  return { disk, hold }
}
