import { workerData } from 'node:worker_threads'
import { serveTasks } from '../command/threads.ts'
import { Judge, type Outcome } from './judge.ts'
import { type Kind, mutate } from './mutations.ts'
import { type End, makeSample } from './sample.ts'

/** A thread that damages its own copy of a directory, case by case as it is sent them, and tells what came of each. */

/** Cases of one kind: from `first` on, `stride` apart, before `end`. */
export interface Batch {
  readonly kind: Kind
  readonly first: number
  readonly end: number
  readonly stride: number
}

export interface BatchReport {
  readonly outcomes: Readonly<Record<Outcome, number>>
  readonly failures: readonly { readonly kind: Kind; readonly place: number; readonly why: string }[]
}

const { end, logBytes } = workerData as { readonly end: End; readonly logBytes: number }
const sample = await makeSample(end, logBytes)
const judge = await Judge.of(sample)

async function run({ kind, first, end, stride }: Batch): Promise<BatchReport> {
  const outcomes: Record<Outcome, number> = { right: 0, refused: 0, 'end lost': 0 }
  const failures: { kind: Kind; place: number; why: string }[] = []
  for (let place = first; place < end; place += stride) {
    const mutant = mutate(sample, kind, place)
    try {
      outcomes[await judge.judge(mutant)]++
    } catch (error) {
      failures.push({ kind, place, why: `${mutant.what}: ${error instanceof Error ? error.message : error}` })
    }
  }
  return { outcomes, failures }
}

serveTasks(run)
