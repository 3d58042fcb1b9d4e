import { campaign } from '../campaign.ts'
import { atLeast, planContest } from '../contest.ts'
import type { Figure } from '../figure.ts'
import { measureDraws } from '../figure.ts'
import type { KujiServer } from '../kuji-server.ts'
import { startKuji } from '../kuji-server.ts'
import type { PostgresPeer } from '../postgres-server.ts'
import { startPostgres } from '../postgres-server.ts'
import { loadRedis } from '../redis-load.ts'
import type { Stage } from '../stage.ts'
import { loadHttp } from '../wrk.ts'

interface Ring {
  readonly stage: Stage
  readonly kuji: KujiServer
  readonly postgres: PostgresPeer
}

const clients = 16
const pipeline = 64
const draw = ['DRAW', campaign.pool]

async function startRing(stage: Stage): Promise<Ring> {
  const postgres = await startPostgres(stage)
  return { stage, kuji: await startKuji(stage, { durability: 'sync', doors: ['resp'] }), postgres }
}

function overHttp({ stage, kuji }: Ring, seconds: number): Promise<Figure> {
  const url = `${kuji.url}/v1/pools/${campaign.pool}/draws`
  const load = () => loadHttp(stage, { url, clients, body: {} }, seconds)
  return measureDraws(kuji, load, kuji)
}

function overResp({ stage, kuji }: Ring, seconds: number): Promise<Figure> {
  const load = () => loadRedis(stage, { port: kuji.respPort, clients, pipeline, command: draw }, seconds)
  return measureDraws(kuji, load, kuji)
}

const peer = {
  peer: 'PostgreSQL',
  unit: 'draws/s',
  measurePeer: async ({ postgres }: Ring, seconds: number) => ({
    value: await postgres.draw(clients, seconds),
  }),
} as const

export const postgres = planContest<Ring>({
  name: 'postgres',
  about: `row lock, update and insert in a function, prepared, ${clients} clients: pgbench -M prepared`,
  programs: ['postgres', 'initdb', 'psql', 'pgbench', 'wrk', 'redis-benchmark'],
  // A process for each client: on one core PostgreSQL is a fifth slower.
  pinned: false,
  bouts: [
    { ...peer, name: 'postgres/http', target: atLeast(10), measureKuji: overHttp },
    { ...peer, name: `postgres/resp-pipeline-${pipeline}`, target: atLeast(100), measureKuji: overResp },
  ],
  start: startRing,
})
