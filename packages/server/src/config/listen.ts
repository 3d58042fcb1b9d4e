import { isIPv4, isIPv6 } from 'node:net'
import { show } from '../schema/faults.ts'

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Reads `address:port`, or says what is wrong with it. */
export function parseListen(text: string): ListenAddress | string {
  const match = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[\w.-]+)):(?<port>\d{1,5})$/.exec(text)
  const port = Number(match?.groups?.port)
  const { v6, name } = match?.groups ?? {}
  if (port <= 65_535) {
    if (v6 !== undefined && isIPv6(v6)) return { host: v6, port }
    // `localhost` may name several addresses, and a hosts file may point it anywhere.
    if (name !== undefined) return { host: name === 'localhost' ? '127.0.0.1' : name, port }
  }
  return `expected an address and a port, like 127.0.0.1:7070 or [::1]:7070, got ${show(text)}`
}

/** Whether only this machine reaches the address. */
export function isLoopback(host: string): boolean {
  if (isIPv4(host)) return host.startsWith('127.')
  return isIPv6(host) && normalHost(host) === '[::1]'
}

/** As it stands in a URL. */
export function formatAddress({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Whether one of the two would take the other's port. */
export function collide(one: ListenAddress, other: ListenAddress): boolean {
  if (one.port !== other.port || one.port === 0) return false
  const hosts = [normalHost(one.host), normalHost(other.host)]
  return hosts[0] === hosts[1] || hosts.includes('0.0.0.0') || hosts.includes('[::]')
}

const normalHost = (host: string) =>
  isIPv6(host) ? new URL(`http://[${host}]`).hostname : host.toLowerCase()
