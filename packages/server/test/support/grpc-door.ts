import type { TestContext } from 'node:test'
import type { Kuji } from '@kuji/engine'
import type { Access } from '../../src/access/caller.ts'
import { openAccess } from '../../src/access/open-access.ts'
import type { DoorOptions } from '../../src/door.ts'
import { startGrpc } from '../../src/grpc/server.ts'
import { Service } from '../../src/service.ts'
import { openMemoryDoor, type RunningDoor } from './memory-door.ts'

interface DoorSetting {
  /** What answers in the place of the engine, method by method. */
  readonly engine?: (kuji: Kuji) => Partial<Kuji>
  readonly access?: Access
  readonly tls?: DoorOptions['tls']
  readonly reflection?: boolean
}

export type { RunningDoor }

/** A gRPC server in this process, over an engine in memory with the pools `summer` and `few`. */
export function openDoor(context: TestContext, setting: DoorSetting = {}): Promise<RunningDoor> {
  const { engine, access = openAccess, tls, reflection = true } = setting
  return openMemoryDoor(context, {
    protocol: 'grpc',
    serviceOf: (kuji, log) =>
      new Service(engine === undefined ? kuji : behaving(kuji, engine(kuji)), access, log),
    start: options => startGrpc({ ...options, tls, reflection }),
  })
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
