import type { TestContext } from 'node:test'
import { serveSample } from '../../../server/test/support/processes.ts'
import { type ClientOptions, KujiClient } from '../../src/index.ts'
import { type HostileProxy, startHostileProxy } from './hostile-proxy.ts'

const pools = `
pools:
  - { id: open, items: [{ id: a, weight: 1, stock: unlimited }, { id: b, weight: 1, stock: unlimited }] }
  - { id: few, items: [{ id: a, weight: 1, stock: 3 }] }
`

/** A real server, a client that reaches it through trouble, and one that reaches it directly. */
export interface Scene extends Awaited<ReturnType<typeof serveSample>> {
  readonly proxy: HostileProxy
  readonly client: KujiClient
  readonly direct: KujiClient
}

/** Serves the pools `open` (without end) and `few` (three units). */
export async function serveBehindTrouble(
  context: TestContext,
  options: Omit<ClientOptions, 'url'> = {},
): Promise<Scene> {
  const server = await serveSample(context, pools)
  const proxy = await startHostileProxy(context, server.url)
  // No try is given up because the machine is slow: how many there are is what mishaps make of it.
  const patient = { timeoutMs: 120_000, tryTimeoutMs: 120_000 }
  const client = new KujiClient({ ...patient, ...options, url: proxy.url })
  return { ...server, proxy, client, direct: new KujiClient({ ...patient, url: server.url }) }
}
