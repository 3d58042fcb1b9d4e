import type { TestContext } from 'node:test'
import { type Kuji, open } from '@kuji/engine'
import { KujiError } from '@kuji/engine/contract'
import type { Access, Scope } from '../../src/access/caller.ts'
import { openAccess } from '../../src/access/open-access.ts'
import type { Door, DoorOptions } from '../../src/door.ts'
import { createLogger } from '../../src/logger.ts'
import { DoorMeter } from '../../src/metrics/meter.ts'
import { startResp } from '../../src/resp/server.ts'
import { Service } from '../../src/service.ts'

export interface RunningDoor {
  readonly kuji: Kuji
  readonly door: Door
  readonly port: number
  readonly meter: DoorMeter
  /** Lines of the log. */
  readonly lines: string[]
}

interface DoorSetting {
  /** Keys and their scopes; none: nobody needs one. */
  readonly keys?: Readonly<Record<string, readonly Scope[]>>
  /** The same, in a way of the test's own. */
  readonly access?: Access
  readonly tls?: DoorOptions['tls']
  /** The service, where a test needs one that behaves in a way of its own. */
  readonly serviceOf?: (kuji: Kuji, access: Access) => Service
}

/** A RESP server in this process, over an engine in memory with the pools `summer` and `few`. */
export async function openDoor(context: TestContext, setting: DoorSetting = {}): Promise<RunningDoor> {
  const kuji = await open({ durability: 'none' })
  await kuji.putPool({
    id: 'summer',
    items: [
      { id: 'diamond', weight: 10, stock: 100_000_000 },
      { id: 'mud', weight: 90, stock: 'unlimited', metadata: { colour: 'brown' } },
    ],
  })
  await kuji.putPool({ id: 'few', items: [{ id: 'last', weight: 1, stock: 3 }] })
  const lines: string[] = []
  const log = createLogger(text => lines.push(text))
  const access = setting.access ?? (setting.keys === undefined ? openAccess : accessOf(setting.keys))
  const service = setting.serviceOf?.(kuji, access) ?? new Service(kuji, access, log)
  const listen = { host: '127.0.0.1', port: 0 }
  const meter = new DoorMeter('resp')
  const door = await startResp({ service, listen, log, meter, tls: setting.tls })
  context.after(async () => {
    await door.stop(0)
    await kuji.close()
  })
  return { kuji, door, port: Number(new URL(door.url).port), meter, lines }
}

function accessOf(keys: Readonly<Record<string, readonly Scope[]>>): Access {
  return {
    required: true,
    authenticate(key) {
      const found = Object.hasOwn(keys, key ?? '') ? keys[key!] : undefined
      if (found === undefined) throw new KujiError('UNAUTHENTICATED', 'the key is not known')
      return { name: `the key ${key}`, scopes: new Set(found), admit: () => null }
    },
  }
}
