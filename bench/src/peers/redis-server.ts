import { campaign } from './campaign.ts'
import { pathOf } from './programs.ts'
import type { RedisScript } from './redis-scripts.ts'
import type { Served, Stage } from './stage.ts'
import { freePort } from './stage.ts'

const { items, stock } = campaign

/** Redis with one of the scripts ready. */
export interface RedisPeer extends Served {
  readonly port: number
  /** Loads a script, shows that it is right, and fills the stock. Returns the command of one draw. */
  load(script: RedisScript): Promise<readonly string[]>
  /** Units taken since then. */
  taken(script: RedisScript): Promise<number>
}

/** Tuned as far as that costs no safety: no dumps, no rewriting of the log meanwhile, no latency statistics. */
const tuning = [
  ...['--bind', '127.0.0.1', '--save', '', '--latency-tracking', 'no'],
  ...['--auto-aof-rewrite-percentage', '0'],
]
const logs = {
  none: ['--appendonly', 'no'],
  sync: ['--appendonly', 'yes', '--appendfsync', 'always'],
} as const

export async function startRedis(stage: Stage, log: keyof typeof logs): Promise<RedisPeer> {
  const port = await freePort()
  const directory = stage.newDirectory(`redis-${log}`)
  const ask = (args: readonly string[], input?: string): Promise<string> =>
    stage.run(pathOf('redis-cli'), ['-p', String(port), ...args], input)
  const served = await stage.serve({
    name: 'redis-server',
    command: pathOf('redis-server'),
    args: ['--port', String(port), '--dir', directory, ...tuning, ...logs[log]],
    directory,
    isReady: async () => (await ask(['PING'])).trim() === 'PONG',
  })
  const read = async (script: RedisScript): Promise<number[]> =>
    (await ask(script.stock.read)).trim().split('\n').map(Number)
  return {
    ...served,
    port,
    load: async script => {
      const loaded = (await ask(['-x', ...script.load], script.text)).trim()
      const command = script.command(loaded)
      await checkScript(script, command, ask)
      await ask([], script.stock.fill(items.map(() => stock)))
      return command
    },
    taken: async script => (await read(script)).reduce((sum, left) => sum + stock - left, 0),
  }
}

/** Draws a small stock to its end: each unit once, and then a refusal. A fast wrong script would be no peer. */
async function checkScript(
  script: RedisScript,
  command: readonly string[],
  ask: (args: readonly string[], input?: string) => Promise<string>,
): Promise<void> {
  const small = items.map((_, k) => items.length - k)
  const units = small.reduce((sum, stock) => sum + stock, 0)
  await ask([], script.stock.fill(small))
  const printed = await ask([], `${command.join(' ')}\n`.repeat(units + 1))
  const lines = printed.trim().split('\n')
  for (const [k, { id }] of items.entries()) {
    const seen = lines.filter(line => line === id).length
    if (seen !== small[k]) throw new Error(`${script.name}: ${id} was drawn ${seen} times of ${small[k]}`)
  }
  if (!printed.includes('POOL_EMPTY')) throw new Error(`${script.name}: drew more than there was: ${printed}`)
}
