import type { Kuji } from '@kuji/engine'
import { KujiError, limits } from '@kuji/engine'
import type { Receipt } from '@kuji/engine/contract'
import { allPools, ask } from '../sim/ask.ts'
import { describeAnswer, type Model } from '../sim/model/model.ts'
import { compareOnPaper } from '../sim/model/on-paper.ts'
import type { Answer, Operation } from '../sim/model/operation.ts'
import { describeOperation } from '../sim/model/operation.ts'
import { Violation } from '../sim/model/violation.ts'
import { RemovedSegments } from '../sim/removed-segments.ts'
import { Device, type FilesOnDevice } from '../sim/world/device.ts'
import { directory, QuietMachine } from '../sim/world/quiet-machine.ts'
import type { Trace } from '../sim/world/trace.ts'
import { DiskStates, isUnread } from './disk-states.ts'
import { PointRecorder } from './points.ts'
import type { Recording } from './recording.ts'

/** What was found on a disk, and how it was started from. */
export interface Checked {
  /** The LSN that it was recovered to. */
  readonly lsn: number
  /** The moments of its recovery. */
  readonly recovery: PointRecorder
}

export interface CheckOptions {
  /** What the wall clock shows, from the beginning of all runs. */
  readonly ahead: number
  readonly trace?: Trace
  /** Whether the moments of the recovery are wanted. */
  readonly watched?: boolean
  /** Disks, as they are when all has been answered, from which a start has filled its files and passed. */
  readonly passed?: Set<string>
}

/** A start that has come up, and what it has to answer. */
interface Life {
  readonly machine: QuietMachine
  readonly kuji: Kuji
  readonly model: Model
}

const filesFilled = 3
/** In so long the helper has done what there is to do, and an idle log is sealed. */
const restMs = 300

/** What is drawn at the end, from a pool that is made for it. */
const last = { id: 'last', items: [{ id: 'it', weight: 1, stock: 5 }] } as const
const draw = { kind: 'draw', pool: 'last', count: 2, partial: false, bulk: false, recipient: '' } as const
const draws: readonly Operation[] = [
  { kind: 'put', manifest: last },
  { ...draw, key: '' },
  { ...draw, key: 'last' },
  { ...draw, key: 'last' },
]

/** A change that takes more than half a file of the log, so that two of them do not fit into one. */
function fillFile(round: number, segmentBytes: number): Operation {
  const metadata = 'x'.repeat(Math.min(0.6 * segmentBytes, limits.metadataBytes - 2))
  const items = [{ id: 'it', weight: 1, stock: 10 + round }]
  return { kind: 'put', manifest: { id: 'last', items, metadata } }
}

/**
 * Starts the engine on a disk as a crash has left it, and holds it against the oracle: the state is that behind some
 * LSN; every request with a key comes again as it was answered, or is drawn once; a draw is possible; some files of the
 * log are filled, so that the helper does its work; and an independent reader finds the same in the files, from the
 * first batch on, and in each snapshot.
 * @throws Violation where something is not so
 */
export async function checkState(
  recording: Recording,
  files: FilesOnDevice,
  { ahead, trace, watched = false, passed = new Set() }: CheckOptions,
): Promise<Checked> {
  const { sectorBytes, chance, oracle, removed: removedBefore, disk } = recording
  const device = Device.holding(files, { sectorBytes, nameOrder: 'any', chance })
  const removed = new RemovedSegments(removedBefore)
  const recovery = new PointRecorder(() => 0)
  const read: string[] = []
  let recovering = watched
  const machine: QuietMachine = new QuietMachine({
    ...{ device, ahead, seed: 2 },
    onCall: call => {
      if (call.name.startsWith('read')) read.push(call.path)
      removed.look(call, device)
    },
    onBegin: call => recovering && recovery.during(call, machine),
    onReturn: call => recovering && recovery.after(call, machine),
    ...(trace === undefined ? {} : { trace }),
    ...(disk === undefined ? {} : { disk }),
  })
  const life = async (): Promise<number> => {
    const kuji = await open(machine, recording)
    // The next file of the log may be made ready behind the start, and nothing has been asked for yet.
    await machine.time.wait(restMs)
    recovering = false
    const { lsn, drawNumber } = kuji.status()
    machine.tell(`recovered to LSN ${lsn}, draw ${drawNumber}`)
    if (lsn > oracle.lastLsn)
      throw new Violation('after recovery: unwritten', `recovered to LSN ${lsn}, which nobody wrote`)
    const model = oracle.modelAt(lsn)
    if (drawNumber !== model.drawNumber)
      throw new Violation(
        'after recovery: draw number',
        `recovered to draw ${drawNumber}, and the last was ${model.drawNumber}`,
      )
    model.comparePools(await allPools(kuji))
    await askAgain(recording, lsn, { machine, kuji, model })
    for (const operation of draws) await askOn({ machine, kuji, model }, operation)
    await machine.time.wait(restMs)
    // The log ends in a seal now, which has the state hash: what follows is the same on disks that are.
    const states = new DiskStates(device)
    const { key } = states.state(states.all)
    if (!passed.has(key)) {
      for (let round = 0; round < filesFilled; round++) {
        await askOn({ machine, kuji, model }, fillFile(round, recording.engine.segmentBytes))
        await machine.time.wait(restMs)
      }
      compareOnPaper(removed.before(device.filesBelow(directory)), model)
    }
    checkQuiet(read, machine)
    passed.add(key)
    return lsn
  }
  return { lsn: await machine.time.run(life()), recovery }
}

/** No start may depend on what an unfinished file holds, and on this machine nothing fails that could be warned of. */
function checkQuiet(read: readonly string[], { events }: QuietMachine): void {
  const unfinished = read.find(isUnread)
  if (unfinished !== undefined)
    throw new Violation(
      'an unfinished file',
      `${unfinished} was read, which a crash may have left in any state`,
    )
  const alarm = events.find(({ type, level }) => level !== 'info' && type !== 'torn-batch-cut')
  if (alarm !== undefined) throw new Violation(`event: ${alarm.type}`, `${alarm.type}: ${alarm.message}`)
}

async function open(machine: QuietMachine, { engine, restarted }: Recording): Promise<Kuji> {
  try {
    const kuji = await machine.open(engine)
    return restarted?.(kuji) ?? kuji
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new Violation(`a start refused: ${code}`, `the start is refused: ${code} ${message}`)
  }
}

function isReplayed(answer: Answer): boolean {
  return 'value' in answer && (answer.value as Receipt).replayed
}

/** Asks for every key of the script. Where the log has its draw, the receipt has to come again. */
async function askAgain({ operations, oracle }: Recording, lsn: number, life: Life): Promise<void> {
  for (const [place, operation] of operations.entries()) {
    if (operation.kind !== 'draw' || operation.key === '') continue
    const answer = await askOn(life, operation)
    if (place < oracle.operationsUpTo(lsn) && !isReplayed(answer))
      throw new Violation(
        'a key that the log has',
        `${describeOperation(operation)}: the log has it, and its receipt did not come again`,
      )
  }
}

/** Asks, and holds the answer against what has to come between the times at which that was. */
async function askOn({ machine, kuji, model }: Life, operation: Operation): Promise<Answer> {
  const from = machine.wall.highest
  let answer: Answer
  try {
    answer = { value: await ask(kuji, operation) }
  } catch (error) {
    if (!(error instanceof KujiError)) throw error
    answer = { refusal: error.code }
  }
  machine.tell(`${describeOperation(operation)}: ${describeAnswer(answer)}`)
  model.apply(operation, answer, { from, to: machine.wall.highest })
  return answer
}
