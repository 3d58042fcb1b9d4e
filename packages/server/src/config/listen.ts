import { isIPv4, isIPv6 } from 'node:net'
import { show } from '../schema/faults.ts'

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/**
 * Reads `address:port`, or says what is wrong with it. Only loopback passes: this version has no keys, so
 * whoever reaches the port may draw and change pools.
 */
export function parseListen(text: string): ListenAddress | string {
  const match = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[^:]*)):(?<port>\d{1,5})$/.exec(text)
  const port = Number(match?.groups?.port)
  if (!match?.groups || port > 65_535) {
    return `expected an address and a port, like 127.0.0.1:7070 or [::1]:7070, got ${show(text)}`
  }
  const { v6, name } = match.groups
  // `localhost` may name several addresses, and a hosts file may point it anywhere.
  const host = v6 ?? (name === 'localhost' ? '127.0.0.1' : (name ?? ''))
  if (isLoopback(host)) return { host, port }
  return (
    `${show(host)} is not a loopback address, and this version has no keys: anyone who reaches the port ` +
    'could draw and change pools. Listen on 127.0.0.1, localhost or [::1]'
  )
}

function isLoopback(host: string): boolean {
  if (isIPv4(host)) return host.startsWith('127.')
  return isIPv6(host) && new URL(`http://[${host}]`).hostname === '[::1]'
}
