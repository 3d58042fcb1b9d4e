import type { DrawRequest, Outcome, Request, ShownItem, Status } from '../../history/index.ts'
import { manifestOf } from '../manifest.ts'
import type { Door } from './door.ts'
import { patienceMs, refusal } from './door.ts'

interface Receipt {
  readonly id: number
  readonly items: string[]
  readonly version: number
  readonly at: string
  readonly replayed: boolean
}

interface Pool {
  readonly version: number
  readonly status: Status
  readonly drawn: number
  readonly items: readonly ShownItem[]
}

const actions = { open: 'resume', paused: 'pause', closed: 'close' } as const

/** HTTP by fetch, which keeps as many connections as there are requests at once. */
export class HttpDoor implements Door {
  /** Another connection is made by itself. */
  readonly isBroken = false
  readonly #url: string
  readonly #closed = new AbortController()

  constructor(url: string) {
    this.#url = url
  }

  send(request: Request): Promise<Outcome> {
    const path = `/v1/pools/${request.pool}`
    switch (request.kind) {
      case 'draw':
        return this.#draw(`${path}/draws`, request)
      case 'put':
        return this.#change('PUT', path, manifestOf(request))
      case 'restock':
        return this.#change('PATCH', `${path}/items/${request.item}`, { restock: request.units })
      case 'reweigh':
        return this.#change('PATCH', `${path}/items/${request.item}`, { weight: request.weight })
      case 'status':
        return this.#change('POST', `${path}/${actions[request.status]}`)
      case 'read':
        return this.#ask<Pool>('GET', path, {}, ({ version, status, drawn, items }) => ({
          ...{ kind: 'shown', version, status, drawn },
          items: items.map(({ id, stock, remaining, held, drawn: taken }) => ({
            ...{ id, stock, remaining, held, drawn: taken },
          })),
        }))
    }
  }

  close(): void {
    this.#closed.abort()
  }

  #draw(path: string, { count, partial, key, recipient }: DrawRequest): Promise<Outcome> {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': `"${key}"` }
    const body = JSON.stringify({
      count,
      ...(partial === undefined ? {} : { partial }),
      ...(recipient === undefined ? {} : { recipient }),
    })
    return this.#ask<Receipt>('POST', path, { headers, body }, ({ id, items, version, at, replayed }) => ({
      ...{ kind: 'drawn', id, items, version, replayed },
      at: Date.parse(at),
    }))
  }

  #change(method: string, path: string, body?: object): Promise<Outcome> {
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    return this.#ask<{ version: number; changed?: boolean }>(method, path, init, ({ version, changed }) => ({
      ...{ kind: 'changed', version },
      ...(changed === undefined ? {} : { changed }),
    }))
  }

  async #ask<T>(
    method: string,
    path: string,
    { headers = {}, body }: { headers?: Record<string, string>; body?: string },
    read: (answer: T) => Outcome,
  ): Promise<Outcome> {
    const response = await fetch(this.#url + path, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any([AbortSignal.timeout(patienceMs), this.#closed.signal]),
    })
    const answer = (await response.json()) as unknown
    return response.ok ? read(answer as T) : refusal((answer as { code: string }).code)
  }
}
