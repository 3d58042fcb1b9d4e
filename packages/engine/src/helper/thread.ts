import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../clock/system-clock.ts'
import { NodeDisk } from '../disk/node-disk.ts'
import { blockingCalls } from '../disk/system-calls.ts'
import { LocalKeeper } from './local-keeper.ts'
import type { FromHelper, HelperStart, ToHelper } from './protocol.ts'

/** The helper thread: a keeper over a disk of its own, told what to do by messages. */

const port = parentPort!
const onEvent = (event: FromHelper): void => port.postMessage(event)
const keeper = new LocalKeeper(workerData as HelperStart, new NodeDisk(blockingCalls), systemClock, onEvent)

try {
  // On Linux this is the priority of the calling thread alone: the writer goes first where both want a core.
  setPriority(0, 10)
} catch {
  // A courtesy, not a need.
}

port.on('message', (message: ToHelper) => {
  if (message.kind === 'sealed') keeper.sealed(message.number)
  else void keeper.close().then(() => port.close())
})
