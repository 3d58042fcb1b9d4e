import type { Code } from '@kuji/engine/contract'
import type { Stage } from '../stage.ts'

/** A mishap other than kill -9. The server serves before it and after it. */
export interface Episode {
  readonly name: string
  readonly canPlay: (stage: Stage) => boolean
  /** Codes that it brings about, and that nobody is answered at other times. */
  readonly brings?: readonly Code[]
  /** Whether it holds answers up for longer than some clients wait. */
  readonly outlastsPatience?: boolean
  /** Throws where something is not as it has to be; else tells what there is to tell. */
  readonly play: (stage: Stage) => Promise<string>
}
