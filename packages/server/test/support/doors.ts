import type { TestContext } from 'node:test'
import { type Kuji, open } from '@kuji/engine'
import { KujiError } from '@kuji/engine/contract'
import { type Access, type Caller, type Scope, scopes } from '../../src/access/caller.ts'
import { openAccess } from '../../src/access/open-access.ts'
import type { DoorOptions } from '../../src/door.ts'
import { startHttp } from '../../src/http/server.ts'
import { createLogger } from '../../src/logger.ts'
import { Metrics } from '../../src/metrics/metrics.ts'
import { Service } from '../../src/service.ts'

interface DoorParts {
  /** What stands behind the service; default an engine in memory. */
  readonly kuji?: Partial<Kuji>
  readonly access?: Access
  readonly tls?: DoorOptions['tls']
}

/** HTTP in this process, on a free port, until the end of the test. */
export async function openDoor(context: TestContext, { kuji, access = openAccess, tls }: DoorParts = {}) {
  let lines = ''
  const log = createLogger(text => {
    lines += text
  })
  const engine = kuji === undefined ? await open({ durability: 'none' }) : complete(kuji)
  const service = new Service(engine as Kuji, access, log)
  const metrics = new Metrics(() => service.health())
  const meter = metrics.meterOf('http')
  const door = await startHttp({ service, listen: { host: '127.0.0.1', port: 0 }, log, meter, metrics, tls })
  context.after(async () => {
    await door.stop(0)
    if (kuji === undefined) await (engine as Kuji).close()
  })
  return { url: door.url, meter, kuji: engine as Kuji, stop: door.stop, lines: () => lines }
}

/** The numbers of a status in which nothing has happened yet. */
export const noNumbers = {
  lsn: 0,
  drawNumber: 0,
  queued: 0,
  keys: 0,
  keyBytes: 0,
  keysForgottenEarly: 0,
  heapBytes: 0,
  heapBytesMost: 0,
} as const

/** What the door asks of every engine. */
function complete(kuji: Partial<Kuji>): Partial<Kuji> {
  if (kuji.status === undefined) kuji.status = () => ({ state: 'open', durability: 'none', ...noNumbers })
  return kuji
}

/** Keys as a server may know them: each name is a key, with its scopes; `spent` has used up its requests. */
export function accessOf(keys: Readonly<Record<string, readonly Scope[]>>): Access {
  const callers = new Map(Object.entries(keys).map(([name, allowed]) => [name, callerOf(name, allowed)]))
  return {
    required: true,
    authenticate(key) {
      const caller = callers.get(key ?? '')
      if (caller !== undefined) return caller
      throw new KujiError(
        'UNAUTHENTICATED',
        key === undefined ? 'an API key is needed' : 'the API key is not known',
      )
    },
  }
}

function callerOf(name: string, allowed: readonly Scope[]): Caller {
  const spent = new KujiError('LIMIT_REACHED', 'the key has used up its requests', { retryAfterSeconds: 7 })
  return { name, scopes: new Set(allowed), admit: () => (name === 'spent' ? spent : null) }
}

export const allScopes = scopes
