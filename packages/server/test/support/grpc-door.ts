import type { TestContext } from 'node:test'
import { type Kuji, open } from '@kuji/engine'
import type { Access } from '../../src/access/caller.ts'
import { openAccess } from '../../src/access/open-access.ts'
import type { Door, DoorOptions } from '../../src/door.ts'
import { startGrpc } from '../../src/grpc/server.ts'
import { createLogger } from '../../src/logger.ts'
import { DoorMeter } from '../../src/metrics/meter.ts'
import { Service } from '../../src/service.ts'

interface DoorSetting {
  /** What answers in the place of the engine, method by method. */
  readonly engine?: (kuji: Kuji) => Partial<Kuji>
  readonly access?: Access
  readonly tls?: DoorOptions['tls']
  readonly reflection?: boolean
}

export interface RunningDoor {
  readonly kuji: Kuji
  readonly door: Door
  readonly port: number
  readonly meter: DoorMeter
  /** Lines of the log. */
  readonly lines: string[]
}

/** A gRPC server in this process, over an engine in memory with the pools `summer` and `few`. */
export async function openDoor(context: TestContext, setting: DoorSetting = {}): Promise<RunningDoor> {
  const { engine, access = openAccess, tls, reflection = true } = setting
  const kuji = await open({ durability: 'none' })
  await kuji.putPool({
    id: 'summer',
    items: [
      { id: 'diamond', weight: 10, stock: 100_000_000 },
      { id: 'mud', weight: 90, stock: 'unlimited' },
    ],
  })
  await kuji.putPool({ id: 'few', items: [{ id: 'last', weight: 1, stock: 3 }] })
  const lines: string[] = []
  const log = createLogger(text => lines.push(text))
  const meter = new DoorMeter('grpc')
  const door = await startGrpc({
    service: new Service(engine === undefined ? kuji : behaving(kuji, engine(kuji)), access, log),
    listen: { host: '127.0.0.1', port: 0 },
    log,
    meter,
    tls,
    reflection,
  })
  context.after(async () => {
    await door.stop(0)
    await kuji.close()
  })
  return { kuji, door, port: Number(new URL(door.url).port), meter, lines }
}

/** An engine of which some methods do something else. */
function behaving(kuji: Kuji, other: Partial<Kuji>): Kuji {
  return new Proxy(kuji, {
    get(target, name) {
      const value = Reflect.get(name in other ? other : target, name) as unknown
      return typeof value === 'function' ? value.bind(name in other ? other : target) : value
    },
  })
}
