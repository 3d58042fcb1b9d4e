import type { Fault } from '../schema/faults.ts'
import { collide, isLoopback, type ListenAddress, parseListen } from './listen.ts'
import { type ConfigurationDocument, defaults } from './schema.ts'

/** Where each protocol is served; those that a configuration does not name are not. */
export interface DoorAddresses {
  readonly http: ListenAddress
  readonly resp?: ListenAddress
  readonly grpc?: ListenAddress & { readonly reflection: boolean }
}

/** The addresses of a configuration, and what is wrong with them; where there are faults they mean nothing. */
export function readDoors(document: ConfigurationDocument): {
  doors: DoorAddresses
  faults: readonly Fault[]
} {
  const { http, resp, grpc, apiKeys = [] } = document
  const faults: Fault[] = []
  const taken = new Map<string, ListenAddress>()
  const read = (door: string, text: string): ListenAddress => {
    const address = parseListen(text)
    const fault = typeof address === 'string' ? address : findFault(address, taken, apiKeys.length > 0)
    if (fault !== undefined) faults.push({ path: [door, 'listen'], onKey: false, message: fault })
    if (typeof address === 'string') return { host: '', port: 0 }
    taken.set(door, address)
    return address
  }
  const doors = {
    http: read('http', http?.listen ?? defaults.listen),
    ...(resp === undefined ? {} : { resp: read('resp', resp.listen) }),
    ...(grpc === undefined
      ? {}
      : { grpc: { ...read('grpc', grpc.listen), reflection: grpc.reflection ?? defaults.reflection } }),
  }
  return { doors, faults }
}

function findFault(
  address: ListenAddress,
  taken: ReadonlyMap<string, ListenAddress>,
  keysRequired: boolean,
): string | undefined {
  if (!keysRequired && !isLoopback(address.host)) {
    return (
      `"${address.host}" is not a loopback address, and there are no keys: anyone who reaches the port ` +
      'could draw and change pools. Listen on 127.0.0.1, localhost or [::1], or configure apiKeys ' +
      '(`kuji keys new` makes one)'
    )
  }
  for (const [door, other] of taken)
    if (collide(address, other)) return `the port ${address.port} is that of ${door}.listen`
  return undefined
}
