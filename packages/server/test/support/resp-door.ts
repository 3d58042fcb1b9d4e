import type { TestContext } from 'node:test'
import type { Kuji } from '@kuji/engine'
import { KujiError } from '@kuji/engine/contract'
import type { Access, Scope } from '../../src/access/caller.ts'
import { openAccess } from '../../src/access/open-access.ts'
import type { DoorOptions } from '../../src/door.ts'
import { startResp } from '../../src/resp/server.ts'
import { Service } from '../../src/service.ts'
import { openMemoryDoor, type RunningDoor } from './memory-door.ts'

export type { RunningDoor }

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
export function openDoor(context: TestContext, setting: DoorSetting = {}): Promise<RunningDoor> {
  const access = setting.access ?? (setting.keys === undefined ? openAccess : accessOf(setting.keys))
  return openMemoryDoor(context, {
    protocol: 'resp',
    serviceOf: (kuji, log) => setting.serviceOf?.(kuji, access) ?? new Service(kuji, access, log),
    start: options => startResp({ ...options, tls: setting.tls }),
  })
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
