import { fileURLToPath } from 'node:url'
import { limits } from '@kuji/engine/contract'
import { campaign } from '../campaign.ts'
import type { BoutPlan } from '../contest.ts'
import { atLeast, planContest } from '../contest.ts'
import type { Figure } from '../figure.ts'
import { measureDraws } from '../figure.ts'
import type { KujiServer } from '../kuji-server.ts'
import { startKuji } from '../kuji-server.ts'
import type { Served, Stage } from '../stage.ts'
import { freePort } from '../stage.ts'
import { loadHttp } from '../wrk.ts'

type Log = 'none' | 'sync'

interface Ring {
  readonly stage: Stage
  readonly kuji: Readonly<Record<Log, KujiServer>>
  readonly bare: Served
  readonly bareUrl: string
}

const clients = 50
const bareServer = fileURLToPath(new URL('../bare-http.ts', import.meta.url))

async function startRing(stage: Stage): Promise<Ring> {
  const port = await freePort()
  const bareUrl = `http://127.0.0.1:${port}`
  const bare = await stage.serve({
    name: 'bare node:http',
    command: process.execPath,
    args: [bareServer, String(port)],
    directory: stage.directory,
    isReady: async () => (await fetch(bareUrl, { method: 'POST' })).ok,
  })
  const none = await startKuji(stage, { durability: 'none' })
  return { stage, kuji: { none, sync: await startKuji(stage, { durability: 'sync' }) }, bare, bareUrl }
}

function measureKuji(ring: Ring, log: Log, count: number, seconds: number): Promise<Figure> {
  const kuji = ring.kuji[log]
  const url = `${kuji.url}/v1/pools/${campaign.pool}/draws`
  const body = count === 1 ? {} : { count }
  const load = () => loadHttp(ring.stage, { url, clients, body }, seconds)
  return measureDraws(kuji, load, { drawn: kuji.drawn, drawsPerRequest: count })
}

function beside(log: Log): BoutPlan<Ring> {
  return {
    name: `http/draw-${log}`,
    peer: 'bare node:http',
    unit: 'draws/s',
    target: atLeast(0.6),
    measureKuji: (ring, seconds) => measureKuji(ring, log, 1, seconds),
    measurePeer: ({ stage, bare, bareUrl }, seconds) =>
      measureDraws(bare, () => loadHttp(stage, { url: bareUrl, clients, body: {} }, seconds)),
  }
}

function many(log: Log): BoutPlan<Ring> {
  return {
    name: `http/count-${limits.drawCount}-${log}`,
    peer: '',
    unit: 'draws/s',
    target: atLeast(1e6),
    measureKuji: (ring, seconds) => measureKuji(ring, log, limits.drawCount, seconds),
  }
}

export const http = planContest({
  name: 'http',
  about: 'POST /v1/pools/summer/draws beside a bare node:http that answers a constant: wrk -t 1 -c 50',
  programs: ['wrk'],
  bouts: [beside('sync'), beside('none'), many('sync'), many('none')],
  start: startRing,
})
