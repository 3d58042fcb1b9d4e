import { KujiError } from '@kuji/engine'
import type { Clock } from '../../../packages/engine/src/clock/clock.ts'
import { systemClock } from '../../../packages/engine/src/clock/system-clock.ts'
import { openIn } from '../../../packages/engine/src/open.ts'
import { deterministicRandom } from '../../../packages/engine/src/random/deterministic.ts'
import { type Recovered, recover } from '../../../packages/engine/src/recovery/recover.ts'
import { logStart } from '../../../packages/engine/src/recovery/replay.ts'
import { snapshotName, writeSnapshot } from '../../../packages/engine/src/snapshot/snapshot.ts'
import { directory } from '../sim/world/quiet-machine.ts'
import { MemoryDisk } from './memory-disk.ts'
import type { Mutant } from './mutations.ts'
import { askAgain, type Sample } from './sample.ts'

/**
 * What a start came to. `right`: the state that was there. `refused`: CORRUPT. `end lost`: the log ends earlier, and of
 * all batches behind that end not one is as it was, so that it cannot be told from a write that never was answered.
 */
export type Outcome = 'right' | 'refused' | 'end lost'

const quiet = (): undefined => undefined
const random = deterministicRandom(1)
/** A minute after the sample's last draw, so that no key of it has expired. */
const clock: Clock = { ...systemClock, now: () => 1_790_000_060_000 }
/** One in so many of what was recovered right is also drawn from. */
const drawnFrom = 97

/** Judges what the engine makes of damaged copies of a directory. */
export class Judge {
  readonly #sample: Sample
  readonly #right: string
  readonly #lsn: number
  #recovered = 0

  private constructor(sample: Sample, right: string, lsn: number) {
    this.#sample = sample
    this.#right = right
    this.#lsn = lsn
  }

  /** Throws where the directory itself is not recovered to what was answered. */
  static async of(sample: Sample): Promise<Judge> {
    const { state, position } = await recoverFrom(sample.files, sample.segmentBytes)
    if (state.drawNumber !== sample.drawNumber)
      throw new Error(`recovered to draw ${state.drawNumber}, and the last was ${sample.drawNumber}`)
    const judge = new Judge(sample, await digestOf({ state }), position.lsn)
    await judge.#drawOn(sample.files)
    return judge
  }

  /** Opens a damaged copy. Throws where it comes up with a wrong state, or fails without saying CORRUPT. */
  async judge({ files, places }: Mutant): Promise<Outcome> {
    const { segmentBytes } = this.#sample
    let recovered: Recovered
    try {
      recovered = await recoverFrom(files, segmentBytes)
    } catch (error) {
      if (error instanceof KujiError && error.code === 'CORRUPT') return 'refused'
      throw error
    }
    const { lsn } = recovered.position
    if (lsn > this.#lsn) throw new Error(`recovered to LSN ${lsn}, and the last was ${this.#lsn}`)
    if ((await digestOf(recovered)) === this.#right) {
      // The last batch, a seal, may have been lost: it carries nothing.
      if (lsn < this.#lsn - 1) throw new Error(`the right state at LSN ${lsn}, and the last was ${this.#lsn}`)
      if (++this.#recovered % drawnFrom === 0) await this.#drawOn(files)
      return 'right'
    }
    const { batches } = this.#sample
    const untouched = batches
      .slice(batches.length - (this.#lsn - lsn))
      .filter(
        ({ path, from, to }) => !places.some(at => at.path === path && at.offset >= from && at.offset < to),
      )
    if (lsn === this.#lsn || places.length < 2 || untouched.length > 0)
      throw new Error(
        `recovered to another state, at LSN ${lsn} of ${this.#lsn}, draw ${recovered.state.drawNumber}`,
      )
    return 'end lost'
  }

  /** Draws from it, by every key that was used before and by none. */
  async #drawOn(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { segmentBytes, drawNumber, keyed } = this.#sample
    const kuji = await openIn(
      { dir: directory, durability: 'os', segmentBytes, onEvent: quiet },
      {
        disk: new MemoryDisk(files),
        random,
        clock,
        keeper: () => ({ sealed: quiet, close: async () => undefined }),
      },
    )
    const differs = await askAgain(kuji, keyed)
    if (differs !== '') throw new Error(differs)
    const { id } = await kuji.draw('p', { count: 3 })
    if (id !== drawNumber + 1) throw new Error(`draw number ${id}, and the last was ${drawNumber}`)
    await kuji.close()
  }
}

function recoverFrom(files: ReadonlyMap<string, Uint8Array>, segmentBytes: number): Promise<Recovered> {
  return recover({
    ...{ disk: new MemoryDisk(files), directory, segmentBytes, onEvent: quiet },
    ...{ random, clock },
  })
}

/** The digest of a state: of all that a snapshot would say of it, wherever it stands in the log. */
async function digestOf({ state }: Pick<Recovered, 'state'>): Promise<string> {
  const disk = new MemoryDisk()
  const place = { identity: new Uint8Array(16), shard: 0, segment: 1, position: logStart }
  await writeSnapshot(disk, '', { ...place, state })
  const bytes = await disk.read(`/${snapshotName(1)}`)
  return Buffer.from(bytes.subarray(-32)).toString('hex')
}
