import type { TestContext } from 'node:test'
import { type Kuji, open } from '@kuji/engine'
import type { Door, DoorOptions } from '../../src/door.ts'
import { createLogger, type Logger } from '../../src/logger.ts'
import { DoorMeter } from '../../src/metrics/meter.ts'
import type { Service } from '../../src/service.ts'

export interface RunningDoor {
  readonly kuji: Kuji
  readonly door: Door
  readonly port: number
  readonly meter: DoorMeter
  /** Lines of the log. */
  readonly lines: string[]
}

interface DoorPlan {
  readonly protocol: ConstructorParameters<typeof DoorMeter>[0]
  readonly serviceOf: (kuji: Kuji, log: Logger) => Service
  readonly start: (options: Pick<DoorOptions, 'service' | 'listen' | 'log' | 'meter'>) => Promise<Door>
}

/** A door in this process, until the end of the test, over an engine in memory with the pools `summer` and `few`. */
export async function openMemoryDoor(context: TestContext, plan: DoorPlan): Promise<RunningDoor> {
  const { protocol, serviceOf, start } = plan
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
  const meter = new DoorMeter(protocol)
  const door = await start({
    service: serviceOf(kuji, log),
    listen: { host: '127.0.0.1', port: 0 },
    log,
    meter,
  })
  context.after(async () => {
    await door.stop(0)
    await kuji.close()
  })
  return { kuji, door, port: Number(new URL(door.url).port), meter, lines }
}
