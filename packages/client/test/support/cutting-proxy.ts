import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { TestContext } from 'node:test'

/**
 * A proxy for bytes that cuts the first connection when the answer to `word` comes back: what was asked for has taken
 * place, and whoever asked does not know. Returns its port.
 */
export async function startCuttingProxy(context: TestContext, port: number, word: string): Promise<number> {
  let cut = false
  const proxy = createServer(client => {
    const server = connect(port, '127.0.0.1')
    let asked = false
    const end = () => {
      client.destroy()
      server.destroy()
    }
    client.on('data', bytes => {
      asked ||= bytes.includes(word)
      server.write(bytes)
    })
    server.on('data', bytes => {
      if (!asked || cut) return client.write(bytes)
      cut = true
      return end()
    })
    for (const socket of [client, server]) socket.on('error', end).on('close', end)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  context.after(() => proxy.close())
  return (proxy.address() as AddressInfo).port
}
