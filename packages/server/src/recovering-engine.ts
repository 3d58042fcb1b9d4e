import type { AnswerSink, Kuji } from '@kuji/engine'
import { type Durability, KujiError, type LogEvent } from '@kuji/engine/contract'
import type { Health } from './health.ts'

/** What a service asks of an engine. */
export interface Engine
  extends Pick<
    Kuji,
    | 'draw'
    | 'drawTo'
    | 'receipt'
    | 'watch'
    | 'putPool'
    | 'updateItem'
    | 'pausePool'
    | 'resumePool'
    | 'closePool'
    | 'deletePool'
    | 'pool'
    | 'pools'
  > {
  status(): Health
}

function refusal(): KujiError {
  return new KujiError('OVERLOADED', 'the log is being recovered; try again after a moment')
}

const refuse = () => Promise.reject(refusal())

/** Stands in for an engine while its log is being recovered: whoever can wait is told to come back. */
export class RecoveringEngine implements Engine {
  readonly #durability: Durability
  readonly draw = refuse
  readonly receipt = refuse
  readonly putPool = refuse
  readonly updateItem = refuse
  readonly pausePool = refuse
  readonly resumePool = refuse
  readonly closePool = refuse
  readonly deletePool = refuse
  readonly pool = refuse
  readonly pools = refuse

  constructor(durability: Durability) {
    this.#durability = durability
  }

  drawTo(sink: AnswerSink, token: number): void {
    sink.answer(token, refusal())
  }

  watch(): AsyncGenerator<LogEvent, void, undefined> {
    throw refusal()
  }

  status(): Health {
    const nothing = {
      lsn: 0,
      drawNumber: 0,
      queued: 0,
      keys: 0,
      keyBytes: 0,
      keysForgottenEarly: 0,
      heapBytes: 0,
      heapBytesMost: 0,
    }
    return { durability: this.#durability, state: 'recovering', ...nothing }
  }
}
