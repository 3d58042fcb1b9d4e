import { fileURLToPath } from 'node:url'
import { limits } from '@kuji/engine/contract'
import type { BoutPlan } from '../contest.ts'
import { atLeast, planContest } from '../contest.ts'
import type { Figure, LoadResult } from '../figure.ts'
import { measureDraws } from '../figure.ts'
import type { KujiServer } from '../kuji-server.ts'
import { startKuji } from '../kuji-server.ts'
import type { Served, Stage } from '../stage.ts'
import { freePort, isListening } from '../stage.ts'

type Log = 'none' | 'sync'
type Kind = 'unary' | 'stream'

interface Ring {
  readonly stage: Stage
  readonly kuji: Readonly<Record<Log, KujiServer>>
  readonly bare: Served
  readonly barePort: number
}

const bareServer = fileURLToPath(new URL('../bare-grpc.ts', import.meta.url))
const generator = fileURLToPath(new URL('../grpc-load.ts', import.meta.url))

async function startRing(stage: Stage): Promise<Ring> {
  const barePort = await freePort()
  const bare = await stage.serve({
    name: 'bare grpc-js',
    command: process.execPath,
    args: [bareServer, String(barePort)],
    directory: stage.directory,
    isReady: () => isListening(barePort),
  })
  const start = (durability: Log): Promise<KujiServer> => startKuji(stage, { durability, doors: ['grpc'] })
  return { stage, kuji: { none: await start('none'), sync: await start('sync') }, bare, barePort }
}

async function load(
  stage: Stage,
  kind: Kind,
  port: number,
  count: number,
  seconds: number,
): Promise<LoadResult> {
  const args = [kind, port, count, seconds].map(String)
  return JSON.parse(await stage.run(process.execPath, [generator, ...args])) as LoadResult
}

function measureKuji(ring: Ring, log: Log, kind: Kind, count: number, seconds: number): Promise<Figure> {
  const kuji = ring.kuji[log]
  const work = () => load(ring.stage, kind, kuji.grpcPort, count, seconds)
  return measureDraws(kuji, work, { drawn: kuji.drawn, drawsPerRequest: count })
}

function beside(kind: Kind, log: Log): BoutPlan<Ring> {
  return {
    name: `grpc/${kind}-${log}`,
    peer: 'bare grpc-js',
    unit: 'draws/s',
    target: atLeast(0.8),
    measureKuji: (ring, seconds) => measureKuji(ring, log, kind, 1, seconds),
    measurePeer: ({ stage, bare, barePort }, seconds) =>
      measureDraws(bare, () => load(stage, kind, barePort, 1, seconds)),
  }
}

function many(kind: Kind): BoutPlan<Ring> {
  return {
    name: `grpc/${kind}-count-${limits.drawCount}-sync`,
    peer: '',
    unit: 'draws/s',
    target: atLeast(1e6),
    measureKuji: (ring, seconds) => measureKuji(ring, 'sync', kind, limits.drawCount, seconds),
  }
}

const kinds = ['unary', 'stream'] as const

export const grpc = planContest({
  name: 'grpc',
  about: 'Draw and DrawStream, 50 in flight, beside a bare grpc-js that answers a constant',
  programs: [],
  bouts: [
    ...kinds.flatMap(kind => [beside(kind, 'sync'), beside(kind, 'none')]),
    ...kinds.map(kind => many(kind)),
  ],
  start: startRing,
})
