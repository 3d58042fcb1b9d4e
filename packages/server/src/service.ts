import type { Kuji } from '@kuji/engine'
import type {
  DrawOptions,
  ItemUpdate,
  PoolManifest,
  PoolState,
  PoolSummary,
  PutResult,
  Receipt,
} from '@kuji/engine/contract'
import type { LogFields, Logger } from './logger.ts'

/** A request to draw, as each protocol decodes it. */
export interface DrawRequest extends DrawOptions {
  readonly pool: string
}

/** A change of a pool's status. */
export type PoolAction = 'pause' | 'resume' | 'close' | 'delete'

const actionWords = { pause: 'paused', resume: 'resumed', close: 'closed', delete: 'deleted' } as const

/**
 * The one service under every protocol: an adapter decodes a request, calls one method here and encodes what
 * comes back, a value or a `KujiError`. The engine judges each value (one set of rules for a library call and
 * for every protocol); what is added here is what a server owes its operator: a line in the log for each
 * administrative act.
 */
export class Service {
  readonly #kuji: Kuji
  readonly #log: Logger

  constructor(kuji: Kuji, log: Logger) {
    this.#kuji = kuji
    this.#log = log
  }

  draw(request: DrawRequest): Promise<Receipt> {
    const { pool, ...options } = request
    return this.#kuji.draw(pool, options)
  }

  pool(id: string): Promise<PoolState> {
    return this.#kuji.pool(id)
  }

  pools(options: { after?: string; limit?: number }): Promise<PoolSummary[]> {
    return this.#kuji.pools(options)
  }

  async putPool(manifest: PoolManifest): Promise<PutResult> {
    const result = await this.#kuji.putPool(manifest)
    if (result.changed)
      this.#act(result.created ? 'created' : 'changed', result.id, { version: result.version })
    return result
  }

  async updateItem(pool: string, item: string, update: ItemUpdate): Promise<PoolSummary> {
    const summary = await this.#kuji.updateItem(pool, item, update)
    this.#act('changed', pool, { version: summary.version, item, ...update })
    return summary
  }

  async changeStatus(pool: string, action: PoolAction): Promise<PoolSummary> {
    const method = `${action}Pool` as const
    const summary = await this.#kuji[method](pool)
    this.#act(actionWords[action], pool, {})
    return summary
  }

  health(): ReturnType<Kuji['status']> {
    return this.#kuji.status()
  }

  #act(what: string, pool: string, fields: LogFields): void {
    this.#log.info(`pool ${what}`, { pool, ...fields })
  }
}
