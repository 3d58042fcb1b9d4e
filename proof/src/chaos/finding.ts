import type { Operation, Rule } from '../history/index.ts'

/** What has to hold of real processes, beside the rules of every history. */
type ChaosRule =
  | Rule
  /** What comes is an answer, of the shape that its request has, with a code that there is. */
  | 'answer-malformed'
  /** Every client is answered requests of every kind. */
  | 'never-answered'
  /** A refusal, or an outcome that the server says is unknown, is one that something at that time brings about. */
  | 'refusal-unexpected'
  /** While a server is stopped clients lose patience, and are answered afterwards by the same key. */
  | 'patience-untried'

export interface ChaosFinding {
  readonly rule: ChaosRule
  readonly message: string
  readonly operations: readonly Operation[]
}
