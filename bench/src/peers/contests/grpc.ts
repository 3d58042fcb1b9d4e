import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { limits } from '@kuji/engine/contract'
import type { BoutPlan } from '../contest.ts'
import { atLeast, planContest } from '../contest.ts'
import type { Figure } from '../figure.ts'
import { measureDraws } from '../figure.ts'
import type { GrpcLoad } from '../grpc-load.ts'
import { loadGrpc } from '../grpc-load.ts'
import type { KujiServer } from '../kuji-server.ts'
import { startKuji } from '../kuji-server.ts'
import type { Served, Stage } from '../stage.ts'
import { freePort } from '../stage.ts'

type Log = 'none' | 'sync'

interface Ring {
  readonly stage: Stage
  readonly kuji: Readonly<Record<Log, KujiServer>>
  readonly bare: Served
  readonly barePort: number
}

const inFlight = 50
/** Of messages with many draws fewer are enough. */
const manyInFlight = 8
const bareServer = fileURLToPath(new URL('../bare-grpc.ts', import.meta.url))

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false)).once('connect', () => socket.end())
  })
}

async function startRing(stage: Stage): Promise<Ring> {
  const barePort = await freePort()
  const bare = await stage.serve({
    name: 'bare grpc-js',
    command: process.execPath,
    args: ['--conditions=source', bareServer, String(barePort)],
    directory: stage.directory,
    isReady: () => accepts(barePort),
  })
  const none = await startKuji(stage, { durability: 'none', doors: ['grpc'] })
  const sync = await startKuji(stage, { durability: 'sync', doors: ['grpc'] })
  return { stage, kuji: { none, sync }, bare, barePort }
}

type Call = GrpcLoad['call']

function measureKuji(ring: Ring, log: Log, load: Omit<GrpcLoad, 'port'>, seconds: number): Promise<Figure> {
  const kuji = ring.kuji[log]
  const run = () => loadGrpc(ring.stage, { ...load, port: kuji.grpcPort }, seconds)
  return measureDraws(kuji, run, { drawn: kuji.drawn, drawsPerRequest: load.count })
}

function beside(call: Call, log: Log): BoutPlan<Ring> {
  const load = { call, inFlight, count: 1 }
  return {
    name: `grpc/${call === 'Draw' ? 'draw' : 'stream'}-${log}`,
    peer: 'bare grpc-js',
    unit: 'draws/s',
    target: atLeast(0.8),
    measureKuji: (ring, seconds) => measureKuji(ring, log, load, seconds),
    measurePeer: ({ stage, bare, barePort }, seconds) =>
      measureDraws(bare, () => loadGrpc(stage, { ...load, port: barePort }, seconds)),
  }
}

function many(call: Call, log: Log): BoutPlan<Ring> {
  const load = { call, inFlight: manyInFlight, count: limits.drawCount }
  return {
    name: `grpc/${call === 'Draw' ? 'draw' : 'stream'}-count-${limits.drawCount}-${log}`,
    peer: '',
    unit: 'draws/s',
    target: atLeast(1e6),
    measureKuji: (ring, seconds) => measureKuji(ring, log, load, seconds),
  }
}

export const grpc = planContest({
  name: 'grpc',
  about:
    'Draw and DrawStream beside a bare grpc-js server that answers a constant: one connection, 50 in flight',
  programs: [],
  bouts: [
    beside('Draw', 'sync'),
    beside('Draw', 'none'),
    beside('DrawStream', 'sync'),
    beside('DrawStream', 'none'),
    many('Draw', 'sync'),
    many('DrawStream', 'none'),
  ],
  start: startRing,
})
