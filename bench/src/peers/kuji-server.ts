import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { campaign } from './campaign.ts'
import type { Served, Stage } from './stage.ts'
import { freePort, isListening } from './stage.ts'

const program = fileURLToPath(new URL('../../../packages/server/bin/kuji.js', import.meta.url))

/** A kuji server of its own, with the campaign's pool. */
export interface KujiServer extends Served {
  readonly url: string
  readonly httpPort: number
  readonly respPort: number
  readonly grpcPort: number
  /** Draws so far. */
  drawn(): Promise<number>
}

export interface KujiSettings {
  readonly durability: 'none' | 'sync'
  readonly doors?: readonly ('resp' | 'grpc')[]
  readonly openFiles?: number
}

/** Starts `kuji serve` as a user would, from a configuration file. */
export async function startKuji(stage: Stage, settings: KujiSettings): Promise<KujiServer> {
  const { durability, doors = [], openFiles = 0 } = settings
  const directory = stage.newDirectory(`kuji-${durability}`)
  const [httpPort, respPort, grpcPort] = [await freePort(), await freePort(), await freePort()]
  const others = doors.map(door => (door === 'resp' ? respPort : grpcPort))
  const listen = (port: number) => ({ listen: `127.0.0.1:${port}` })
  const { pool, items, stock } = campaign
  const configuration = {
    data: './data',
    durability,
    http: listen(httpPort),
    ...(doors.includes('resp') ? { resp: listen(respPort) } : {}),
    ...(doors.includes('grpc') ? { grpc: listen(grpcPort) } : {}),
    pools: [{ id: pool, items: items.map(item => ({ ...item, stock })) }],
  }
  const file = join(directory, 'kuji.yaml')
  writeFileSync(file, JSON.stringify(configuration))
  const url = `http://127.0.0.1:${httpPort}`
  const served = await stage.serve({
    name: 'kuji',
    command: process.execPath,
    args: [program, 'serve', file],
    directory,
    openFiles,
    isReady: async () => {
      const listening = await Promise.all(others.map(isListening))
      return listening.every(Boolean) && (await fetch(`${url}/readyz`)).ok
    },
  })
  const drawn = async (): Promise<number> => {
    const response = await fetch(`${url}/v1/pools/${pool}`)
    return ((await response.json()) as { drawn: number }).drawn
  }
  return { ...served, url, httpPort, respPort, grpcPort, drawn }
}
