import type {
  Drawn,
  DrawRequest,
  LoggedDraws,
  Operation,
  Outcome,
  PutRequest,
  Request,
} from '../../src/history/index.ts'

/** Operations as tables are written: when it was asked and answered, what, and the answer. */
export function operation(
  [invoked, completed]: readonly [number, number],
  request: Request,
  outcome: Outcome,
): Operation {
  return { client: 'someone', invoked, completed, request, outcome }
}

type Span = readonly [number, number]
type DrawOptions = Partial<Omit<DrawRequest, 'kind'>>

function drawRequest(options: DrawOptions): DrawRequest {
  return { kind: 'draw', pool: 'p', count: 1, ...options }
}

/** An answered draw from pool p; `items` separated by spaces. */
export function drawn(
  span: Span,
  id: number,
  items: string,
  options: DrawOptions & Pick<Drawn, 'version' | 'at' | 'replayed'> = {},
): Operation {
  const { version, at, replayed, ...asked } = options
  const names = items.split(' ')
  const told = {
    ...(version === undefined ? {} : { version }),
    ...(at === undefined ? {} : { at }),
    ...(replayed === undefined ? {} : { replayed }),
  }
  const request = drawRequest({ count: names.length, ...asked })
  return operation(span, request, { kind: 'drawn', id, items: names, ...told })
}

export function refused(span: Span, code: string, options: DrawOptions = {}): Operation {
  return operation(span, drawRequest(options), { kind: 'refused', code })
}

export function lost(span: Span, options: DrawOptions = {}): Operation {
  return operation(span, drawRequest(options), { kind: 'unknown' })
}

/** A put of pool p; items as in `a:5 b:*`. */
export function put(
  span: Span,
  items: string,
  outcome: Outcome = { kind: 'changed' },
  options: Pick<PutRequest, 'lastOne'> = {},
): Operation {
  const list = items.split(' ').map(text => {
    const [id, stock] = text.split(':') as [string, string]
    return { id, stock: stock === '*' ? ('unlimited' as const) : Number(stock) }
  })
  return operation(span, { kind: 'put', pool: 'p', items: list, ...options }, outcome)
}

export function restock(
  span: Span,
  item: string,
  units: number,
  outcome: Outcome = { kind: 'changed' },
): Operation {
  return operation(span, { kind: 'restock', pool: 'p', item, units }, outcome)
}

export function setStatus(span: Span, status: 'open' | 'paused' | 'closed'): Operation {
  return operation(span, { kind: 'status', pool: 'p', status }, { kind: 'changed' })
}

/** A read of pool p; items as in `a:5-2`, a stock of 5 of which 2 were drawn. */
export function shown(
  span: Span,
  items: string,
  options: { drawn?: number; version?: number; status?: 'open' | 'paused' | 'closed'; held?: number } = {},
): Operation {
  const { held = 0, version = 1, status = 'open' } = options
  const list = items.split(' ').map(text => {
    const [, id, total, units] = /^(\w+):([\d*]+)-(\d+)$/.exec(text)!
    const taken = Number(units)
    const stock = total === '*' ? ('unlimited' as const) : Number(total)
    const remaining = stock === 'unlimited' ? stock : stock - taken
    return { id: id!, stock, remaining, held, drawn: taken }
  })
  const all = options.drawn ?? list.reduce((sum, { drawn: units }) => sum + units, 0)
  return operation(
    span,
    { kind: 'read', pool: 'p' },
    { kind: 'shown', version, status, drawn: all, items: list },
  )
}

/** Runs of a log of pool p: `a b` for draws without a name, `k=a b` for those of key k. */
export function logOf(...runs: string[]): LoggedDraws[] {
  let id = 1
  return runs.map(run => {
    const [, key, names] = /^(?:(\w+)=)?(.*)$/.exec(run)!
    const items = names!.split(' ')
    const request = { count: items.length, partial: false }
    const logged = { id, pool: 'p', items, ...(key === undefined ? {} : { request: { ...request, key } }) }
    id += items.length
    return logged
  })
}
