import type { Figure } from './figure.ts'
import type { ProgramName } from './programs.ts'
import type { Stage } from './stage.ts'

/** What a ratio (or, without a peer, kuji's own figure) has to come to. */
export interface Target {
  readonly bound: number
  readonly atLeast: boolean
}

/** What the figures of a bout count. */
export type Unit = 'draws/s' | 'MB' | 'ms'

/** Puts the load on one side for about so many seconds and returns its figure. */
export type Measure = (seconds: number) => Promise<Figure>

export interface Sides {
  readonly kuji: Measure
  readonly peer: Measure | null
}

/** Whom and what a bout compares, known before anything is started. */
export interface Bout {
  readonly name: string
  /** What stands on the other side, or '' where kuji's own figure is judged. */
  readonly peer: string
  readonly unit: Unit
  /** Null: reported, not judged. */
  readonly target: Target | null
}

/** Bouts that share their servers. */
export interface Contest {
  readonly name: string
  readonly about: string
  readonly programs: readonly ProgramName[]
  /** Whether servers and load keep to cores of their own; not where a peer is many processes. */
  readonly pinned: boolean
  readonly bouts: readonly Bout[]
  /** Starts the servers and returns the sides of each bout, in their order. */
  start(stage: Stage): Promise<readonly Sides[]>
}

/** A bout while `Ring` holds the servers of its contest. */
export interface BoutPlan<Ring> extends Bout {
  readonly measureKuji: (ring: Ring, seconds: number) => Promise<Figure>
  readonly measurePeer?: (ring: Ring, seconds: number) => Promise<Figure>
}

interface ContestPlan<Ring> {
  readonly name: string
  readonly about: string
  readonly programs: readonly ProgramName[]
  readonly pinned?: boolean
  readonly bouts: readonly BoutPlan<Ring>[]
  readonly start: (stage: Stage) => Promise<Ring>
}

export function planContest<Ring>(plan: ContestPlan<Ring>): Contest {
  const { name, about, programs, pinned = true, bouts, start } = plan
  return {
    name,
    about,
    programs,
    pinned,
    bouts,
    start: async stage => {
      const ring = await start(stage)
      return bouts.map(({ measureKuji, measurePeer }) => ({
        kuji: seconds => measureKuji(ring, seconds),
        peer: measurePeer === undefined ? null : seconds => measurePeer(ring, seconds),
      }))
    },
  }
}

export const atLeast = (bound: number): Target => ({ bound, atLeast: true })
export const atMost = (bound: number): Target => ({ bound, atLeast: false })
