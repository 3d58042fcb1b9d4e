import type { Kuji } from '@kuji/engine'
import { KujiError } from '@kuji/engine'
import { decodeLog, type LogFiles } from '../../../test/support/log-decoder.ts'
import { decodeSnapshot } from '../../../test/support/snapshot-decoder.ts'
import { allPools, ask } from '../sim/ask.ts'
import { describeAnswer, type Model, Violation } from '../sim/model/model.ts'
import { compareOnPaper } from '../sim/model/on-paper.ts'
import type { Answer, Operation } from '../sim/model/operation.ts'
import { describeOperation } from '../sim/model/operation.ts'
import { Device, type FilesOnDevice } from '../sim/world/device.ts'
import { directory, QuietMachine } from '../sim/world/quiet-machine.ts'
import type { DiskCall } from '../sim/world/simulated-disk.ts'
import type { Trace } from '../sim/world/trace.ts'
import { isUnread } from './disk-states.ts'
import { PointRecorder } from './points.ts'
import type { Recording } from './recording.ts'
import { RemovedSegments } from './removed-segments.ts'

/** What was found on a disk, and how it was started from. */
export interface Checked {
  /** The LSN that it was recovered to. */
  readonly lsn: number
  /** The moments of its recovery. */
  readonly recovery: PointRecorder
}

const span = { from: 0, to: Number.POSITIVE_INFINITY }

/** What is drawn at the end, from a pool that is made for it. */
const last = { id: 'last', items: [{ id: 'it', weight: 1, stock: 5 }] } as const
const draw = { kind: 'draw', pool: 'last', count: 2, partial: false, bulk: false, recipient: '' } as const
const afterwards: readonly Operation[] = [
  { kind: 'put', manifest: last },
  { ...draw, key: '' },
  { ...draw, key: 'last' },
  { ...draw, key: 'last' },
]

/**
 * Starts the engine on a disk as a crash has left it, and holds it against the oracle: the state is that behind some
 * LSN; every request with a key comes again as it was answered, or is drawn once; a draw is possible; and an
 * independent reader finds the same in the files, from the first batch on, and in each snapshot.
 * @param watched whether the moments of the recovery are wanted
 * @throws Violation where something is not so
 */
export async function checkState(
  recording: Recording,
  files: FilesOnDevice,
  {
    ahead,
    trace,
    watched = false,
  }: { readonly ahead: number; readonly trace?: Trace; readonly watched?: boolean },
): Promise<Checked> {
  const { sectorBytes, engine, chance, removed: removedBefore, disk } = recording
  const device = Device.holding(files, { sectorBytes, nameOrder: 'any', chance })
  const removed = new RemovedSegments(removedBefore)
  const recovery = new PointRecorder(() => 0)
  let recovering = watched
  const machine: QuietMachine = new QuietMachine({
    ...{ device, ahead, seed: 2 },
    onCall: call => {
      refuseLeftovers(call, device)
      removed.look(call, device)
    },
    onBegin: call => recovering && recovery.during(call, machine),
    onReturn: call => recovering && recovery.after(call, machine),
    ...(trace === undefined ? {} : { trace }),
    ...(disk === undefined ? {} : { disk }),
  })
  const life = async (): Promise<number> => {
    const kuji = await open(machine, engine)
    recovering = false
    const { lsn, drawNumber } = kuji.status()
    const { oracle, operations } = recording
    machine.tell(`recovered to LSN ${lsn}, draw ${drawNumber}`)
    if (lsn > oracle.lastLsn) throw new Violation(`recovered to LSN ${lsn}, which nobody wrote`)
    const model = oracle.modelAt(lsn)
    if (drawNumber !== model.drawNumber)
      throw new Violation(`recovered to draw ${drawNumber}, and the last was ${model.drawNumber}`)
    model.comparePools(await allPools(kuji))
    const keyed = operations.filter(operation => operation.kind === 'draw' && operation.key !== '')
    for (const operation of [...keyed, ...afterwards]) await askOn(machine, kuji, model, operation)
    checkFiles(removed.before(device.filesBelow(directory)), model)
    return lsn
  }
  return { lsn: await machine.time.run(life()), recovery }
}

/** No start may depend on what an unfinished file holds. */
function refuseLeftovers({ name, path }: DiskCall, device: Device): void {
  if (name.startsWith('read') && isUnread(path) && device.find(path).size >= 0)
    throw new Violation(`${path} was read, which a crash may have left in any state`)
}

async function open(machine: QuietMachine, engine: Recording['engine']): Promise<Kuji> {
  try {
    return await machine.open(engine)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new Violation(`the start is refused: ${code} ${message}`)
  }
}

async function askOn(machine: QuietMachine, kuji: Kuji, model: Model, operation: Operation): Promise<void> {
  let answer: Answer
  try {
    answer = { value: await ask(kuji, operation) }
  } catch (error) {
    if (!(error instanceof KujiError)) throw error
    answer = { refusal: error.code }
  }
  machine.tell(`${describeOperation(operation)}: ${describeAnswer(answer)}`)
  model.apply(operation, answer, span)
}

/** The whole log, and every snapshot, as an independent reader has them. */
function checkFiles(files: LogFiles, model: Model): void {
  compareOnPaper(files, model)
  for (const [name, bytes] of files) {
    const segment = Number(/^snapshot-(\d+)\.snap$/.exec(name)?.[1] ?? 0)
    if (segment === 0) continue
    const snapshot = decodeSnapshot(Buffer.from(bytes))
    const log = decodeLog(files, { lastSegment: segment })
    const [found, expected] = [snapshot, log].map(({ drawNumber, stateHash, position }) =>
      JSON.stringify([drawNumber, stateHash, position]),
    )
    if (found !== expected) throw new Violation(`${name} says ${found}, and the log behind it ${expected}`)
  }
}
