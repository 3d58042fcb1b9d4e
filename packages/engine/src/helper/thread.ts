import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { EngineEvent } from '../contract/index.ts'
import { nodeDisk } from '../disk/node-disk.ts'
import { helperFailure, Maintenance } from './maintenance.ts'
import type { FromHelper, HelperStart, ToHelper } from './protocol.ts'

/** The helper thread: Maintenance over a disk of its own, told what to do by messages. */

const port = parentPort!
const send = (message: FromHelper): void => port.postMessage(message)
const onEvent = (event: EngineEvent): void => send({ kind: 'event', event })
const disk = nodeDisk({ blockingWrites: true })
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

async function prepare(number: number, bytes: number): Promise<void> {
  try {
    await maintenance.prepare(number, bytes)
    send({ kind: 'prepared', number })
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    send({ kind: 'prepared', number, error: { code, message } })
  }
}

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
  if (message.kind === 'prepare') void prepare(message.number, message.bytes)
  else if (message.kind === 'sealed') finished = finished.then(() => sealed(message.number))
  else {
    closing = true
    void finished.then(() => {
      send({ kind: 'closed' })
      port.close()
    })
  }
})
