import { campaign } from '../campaign.ts'
import type { BoutPlan, Contest } from '../contest.ts'
import { atLeast, planContest } from '../contest.ts'
import type { Figure } from '../figure.ts'
import { measureDraws } from '../figure.ts'
import type { KujiServer } from '../kuji-server.ts'
import { startKuji } from '../kuji-server.ts'
import { loadRedis } from '../redis-load.ts'
import type { RedisScript } from '../redis-scripts.ts'
import { fastestScript, otherScripts } from '../redis-scripts.ts'
import type { RedisPeer } from '../redis-server.ts'
import { startRedis } from '../redis-server.ts'
import type { Stage } from '../stage.ts'

interface Ring {
  readonly stage: Stage
  readonly kuji: KujiServer
  readonly redis: RedisPeer
  readonly commands: ReadonlyMap<RedisScript, readonly string[]>
}

type Log = 'none' | 'sync'

const programs = ['redis-server', 'redis-cli', 'redis-benchmark'] as const
const clients = 50
const pipelines = [1, 16, 64]
/** Times the best script, at each of the pipelines. */
const targets: Readonly<Record<Log, readonly number[]>> = { none: [1, 8, 16], sync: [1.1, 6, 15] }

async function startRing(stage: Stage, log: Log, scripts: readonly RedisScript[]): Promise<Ring> {
  const redis = await startRedis(stage, log)
  const commands = new Map<RedisScript, readonly string[]>()
  for (const script of scripts) commands.set(script, await redis.load(script))
  return { stage, kuji: await startKuji(stage, { durability: log, doors: ['resp'] }), redis, commands }
}

function measureKuji({ stage, kuji }: Ring, pipeline: number, seconds: number): Promise<Figure> {
  const load = { port: kuji.respPort, clients, pipeline, command: ['DRAW', campaign.pool] }
  return measureDraws(kuji, () => loadRedis(stage, load, seconds), kuji)
}

function measureRedis(
  { stage, redis, commands }: Ring,
  script: RedisScript,
  pipeline: number,
  seconds: number,
): Promise<Figure> {
  const load = { port: redis.port, clients, pipeline, command: commands.get(script)! }
  return measureDraws(redis, () => loadRedis(stage, load, seconds), { drawn: () => redis.taken(script) })
}

function bout(name: string, script: RedisScript, pipeline: number, bound: number | null): BoutPlan<Ring> {
  return {
    name: `${name}/pipeline-${pipeline}`,
    peer: `Redis, ${script.name}`,
    unit: 'draws/s',
    target: bound === null ? null : atLeast(bound),
    measureKuji: (ring, seconds) => measureKuji(ring, pipeline, seconds),
    measurePeer: (ring, seconds) => measureRedis(ring, script, pipeline, seconds),
  }
}

function fastest(log: Log, about: string): Contest {
  const name = `redis-${log}`
  return planContest({
    name,
    about,
    programs,
    bouts: pipelines.map((pipeline, k) => bout(name, fastestScript, pipeline, targets[log][k]!)),
    start: stage => startRing(stage, log, [fastestScript]),
  })
}

export const redisWithoutLog = fastest('none', 'the fastest Lua function, no log: redis-benchmark -c 50')
export const redisWithLog = fastest(
  'sync',
  'the fastest Lua function, every answer on the device: redis-benchmark -c 50',
)

export const redisScripts = planContest({
  name: 'redis-scripts',
  about: 'other ways to write the draw in Lua, no log: redis-benchmark -c 50',
  programs,
  bouts: otherScripts.flatMap(script =>
    pipelines.map(pipeline => bout(`redis-scripts/${script.name.replace(' ', '-')}`, script, pipeline, null)),
  ),
  start: stage => startRing(stage, 'none', otherScripts),
})
