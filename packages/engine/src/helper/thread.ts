import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { NodeDisk } from '../disk/node-disk.ts'
import { blockingCalls } from '../disk/system-calls.ts'
import { helperFailure, Maintenance } from './maintenance.ts'
import type { FromHelper, HelperStart, ToHelper } from './protocol.ts'

/** The helper thread: Maintenance over a disk of its own, told what to do by messages. */

const port = parentPort!
const onEvent = (event: FromHelper): void => port.postMessage(event)
const disk = new NodeDisk(blockingCalls)
const maintenance = new Maintenance({ ...(workerData as HelperStart), disk, onEvent })

try {
  // On Linux this is the priority of the calling thread alone: the writer goes first where both want a core.
  setPriority(0, 10)
} catch {
  // A courtesy, not a need.
}

let finished: Promise<void> = Promise.resolve()
let failed = false
let closing = false

async function sealed(number: number): Promise<void> {
  if (failed || closing) return
  try {
    await maintenance.sealed(number)
  } catch (error) {
    failed = true
    onEvent(helperFailure(error))
  }
}

port.on('message', (message: ToHelper) => {
  if (message.kind === 'sealed') {
    finished = finished.then(() => sealed(message.number))
    return
  }
  closing = true
  void finished.then(() => port.close())
})
