import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { KujiError } from '../contract/index.ts'
import { NodeDisk } from '../disk/node-disk.ts'
import { Pacer } from '../disk/pacer.ts'
import { blockingCalls } from '../disk/system-calls.ts'
import { helperFailure, Maintenance } from './maintenance.ts'
import type { FromHelper, HelperStart, ToHelper } from './protocol.ts'

/** The helper thread: Maintenance over a disk of its own, told what to do by messages. */

const port = parentPort!
const onEvent = (event: FromHelper): void => port.postMessage(event)
const disk = new NodeDisk(blockingCalls)

/** The last segment that is finished, and the one that the work at hand goes up to. */
let latest = 0
let target = 0
let working: Promise<void> | null = null
let failed = false
let closing = false

// Unhurried while it keeps up with the writer.
const pacer = new Pacer(60, () => closing || latest > target + 1)
const pace = (): Promise<void> => pacer.pause()
const maintenance = new Maintenance({ ...(workerData as HelperStart), disk, onEvent, pace })

try {
  // On Linux this is the priority of the calling thread alone: the writer goes first where both want a core.
  setPriority(0, 10)
} catch {
  // A courtesy, not a need.
}

/**
 * Takes in what is finished; several segments at once where the writer was faster. Damage ends it for good; a fault of
 * the system, a full disk say, is told, and the next finished segment is another try.
 */
async function work(): Promise<void> {
  while (target < latest && !closing && !failed) {
    target = latest
    try {
      await maintenance.sealed(target)
    } catch (error) {
      failed = error instanceof KujiError
      onEvent(helperFailure(error))
    }
  }
  working = null
}

port.on('message', (message: ToHelper) => {
  if (message.kind === 'sealed') {
    latest = message.number
    working ??= work()
    return
  }
  closing = true
  pacer.wake()
  void Promise.resolve(working).then(() => port.close())
})
