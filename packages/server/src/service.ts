import type { AnswerSink } from '@kuji/engine'
import type {
  ChangeOptions,
  DrawOptions,
  ItemUpdate,
  LogEvent,
  PoolManifest,
  PoolState,
  PoolSummary,
  PutResult,
  Receipt,
  WatchOptions,
} from '@kuji/engine/contract'
import { KujiError } from '@kuji/engine/contract'
import type { Access, Caller, Scope } from './access/caller.ts'
import type { Health } from './health.ts'
import type { LogFields, Logger } from './logger.ts'
import type { Engine } from './recovering-engine.ts'

/** A request to draw, as each protocol decodes it. */
export interface DrawRequest extends DrawOptions {
  readonly pool: string
}

/** A change of a pool's status. */
export type PoolAction = 'pause' | 'resume' | 'close' | 'delete'

const actionWords = { pause: 'paused', resume: 'resumed', close: 'closed', delete: 'deleted' } as const

/**
 * The one service under every protocol: an adapter finds out who calls (`authenticate`), decodes a request, calls one
 * method here and encodes what comes back, a value or a `KujiError`. The engine judges each value (one set of rules for
 * a library call and for every protocol); what is added here is what a server owes its operator: scopes, the limits of
 * a key, and a line in the log for each administrative act.
 */
export class Service {
  #kuji: Engine
  readonly #access: Access
  readonly #log: Logger
  #draining = false

  constructor(kuji: Engine, access: Access, log: Logger) {
    this.#kuji = kuji
    this.#access = access
    this.#log = log
  }

  /** Serves this engine from now on: its log is recovered. */
  serve(kuji: Engine): void {
    this.#kuji = kuji
  }

  /** From now on `health` says that the server is about to go. Requests are answered as before. */
  drain(): void {
    this.#draining = true
  }

  /** Whether callers need a key. */
  get keysRequired(): boolean {
    return this.#access.required
  }

  /** The caller behind an API key. Throws `UNAUTHENTICATED`. */
  authenticate(key: string | undefined): Caller {
    return this.#access.authenticate(key)
  }

  /**
   * Counts a request against the limit of its caller's key. A door calls it once for each, when it knows who makes it
   * and before it looks at anything else: what is refused costs as much as what is not. Throws `LIMIT_REACHED`.
   */
  admit(caller: Caller): void {
    const refusal = caller.admit(1)
    if (refusal !== null) throw refusal
  }

  async draw(caller: Caller, request: DrawRequest): Promise<Receipt> {
    this.authorise(caller, 'draw')
    const { pool, ...options } = request
    return this.#kuji.draw(pool, options)
  }

  /** `draw` without a promise; see `Kuji.drawTo`. A refusal of the caller is given to the sink at once. */
  drawTo(caller: Caller, sink: AnswerSink, token: number, pool: string, options?: DrawOptions): void {
    const refusal = judge(caller, 'draw')
    if (refusal !== null) sink.answer(token, refusal)
    else this.#kuji.drawTo(sink, token, pool, options)
  }

  async receipt(caller: Caller, id: number): Promise<Receipt> {
    this.authorise(caller, 'read')
    return this.#kuji.receipt(id)
  }

  async pool(caller: Caller, id: string): Promise<PoolState> {
    this.authorise(caller, 'read')
    return this.#kuji.pool(id)
  }

  async pools(caller: Caller, options: { after?: string; limit?: number }): Promise<PoolSummary[]> {
    this.authorise(caller, 'read')
    return this.#kuji.pools(options)
  }

  /** Throws when called, not when first read, so that an adapter can still answer with the refusal. */
  watch(caller: Caller, options: WatchOptions): AsyncGenerator<LogEvent, void, undefined> {
    this.authorise(caller, 'read')
    return this.#kuji.watch(options)
  }

  async putPool(caller: Caller, manifest: PoolManifest, options: ChangeOptions = {}): Promise<PutResult> {
    this.authorise(caller, 'admin')
    const result = await this.#kuji.putPool(manifest, options)
    if (result.changed)
      this.#act(caller, result.created ? 'created' : 'changed', result.id, { version: result.version })
    return result
  }

  async updateItem(
    caller: Caller,
    pool: string,
    item: string,
    update: ItemUpdate,
    options: ChangeOptions = {},
  ): Promise<PoolSummary> {
    this.authorise(caller, 'admin')
    const summary = await this.#kuji.updateItem(pool, item, update, options)
    this.#act(caller, 'changed', pool, { version: summary.version, item, ...update })
    return summary
  }

  async changeStatus(caller: Caller, pool: string, action: PoolAction): Promise<PoolSummary> {
    this.authorise(caller, 'admin')
    const method = `${action}Pool` as const
    const summary = await this.#kuji[method](pool)
    this.#act(caller, actionWords[action], pool, {})
    return summary
  }

  health(): Health {
    const status = this.#kuji.status()
    return this.#draining && status.state !== 'failed' ? { ...status, state: 'draining' } : status
  }

  /** Throws where the caller may not do this; for what a door answers by itself. */
  authorise(caller: Caller, scope: Scope): void {
    const refusal = judge(caller, scope)
    if (refusal !== null) throw refusal
  }

  #act(caller: Caller, what: string, pool: string, fields: LogFields): void {
    this.#log.info(`pool ${what}`, { pool, ...fields, by: caller.name })
  }
}

function judge(caller: Caller, scope: Scope): KujiError | null {
  if (caller.scopes.has(scope)) return null
  return new KujiError('FORBIDDEN', `the key "${caller.name}" does not have the scope "${scope}"`, { scope })
}
