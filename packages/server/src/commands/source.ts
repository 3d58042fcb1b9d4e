import { readdir } from 'node:fs/promises'
import { open } from '@kuji/engine'
import {
  type ChangeOptions,
  KujiError,
  type PoolManifest,
  type PoolState,
  type PoolSummary,
  type PutResult,
  type Receipt,
} from '@kuji/engine/contract'
import { type Command, Option } from 'commander'
import { systemReason } from '../failure.ts'
import { serverLimits } from '../limits.ts'
import type { DrawRequest } from '../service.ts'
import { exitCodes } from './outcome.ts'
import { connect } from './remote.ts'

/** Where a command finds the pools: behind a running server, or in a directory that it opens itself. */
export interface PoolSource {
  draw(request: DrawRequest): Promise<Receipt>
  pool(id: string): Promise<PoolState>
  pools(): Promise<PoolSummary[]>
  putPool(manifest: PoolManifest, options: ChangeOptions): Promise<PutResult>
  close(): Promise<void>
}

export interface SourceOptions {
  readonly server: URL
  readonly apiKey?: string
  readonly dir?: string
}

/** Adds the options that say where the pools are. */
export function addSourceOptions(command: Command): Command {
  const server = new Option('--server <url>', 'a running server')
    .default(new URL('http://127.0.0.1:7070'), 'http://127.0.0.1:7070')
    .argParser(text => parseServer(text) ?? command.error(wrongServer))
  const apiKey = new Option(
    '--api-key <key>',
    'a key of the server; better in the variable, since others see what stands on a command line',
  ).env('KUJI_API_KEY')
  return command
    .addOption(server)
    .addOption(apiKey)
    .addOption(
      new Option('--dir <dir>', 'open this data directory instead; no server may have it open').conflicts(
        'server',
      ),
    )
}

/** Does not repeat what was given, as the parser's own message would: there may be a password in it. */
const wrongServer =
  'error: --server: expected a URL like http://127.0.0.1:7070, without a user, a path, a query or a fragment.'

function parseServer(text: string): URL | undefined {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  const { username, password, pathname, search, hash } = url
  return `${username}${password}${pathname}${search}${hash}` === '/' ? url : undefined
}

/** Runs `use` on the pools and closes what was opened for it, however it ends. */
export async function withSource<Result>(
  options: SourceOptions,
  use: (source: PoolSource) => Promise<Result>,
): Promise<Result> {
  const source =
    options.dir === undefined ? connect(options.server, options.apiKey) : await openDirectory(options.dir)
  let result: Result
  try {
    result = await use(source)
  } catch (error) {
    // It says more than what closing may say after it.
    await source.close().catch(() => {})
    throw error
  }
  // The result is durable and wanted, whatever becomes of the seal behind it: the next start recovers the log.
  await source.close().catch((error: unknown) => {
    process.stderr.write(`kuji: INTERNAL: closing the directory: ${systemReason(error)}\n`)
    process.exitCode = exitCodes.refused
  })
  return result
}

async function openDirectory(dir: string): Promise<PoolSource> {
  // The engine makes what is absent; here that would answer a typing error with an empty list, and a new log.
  const names = await readdir(dir).catch((error: unknown) => {
    throw new KujiError('INVALID', `cannot open ${dir}: ${systemReason(error)}`)
  })
  if (!names.some(name => /^segment-\d+\.log$/.test(name))) {
    throw new KujiError('INVALID', `cannot open ${dir}: no log of kuji is in it`)
  }
  const kuji = await open({
    dir,
    onEvent: ({ level, message }) => {
      if (level !== 'info') process.stderr.write(`kuji: ${level}: ${message}\n`)
    },
  })
  return {
    draw: ({ pool, ...options }) => kuji.draw(pool, options),
    pool: id => kuji.pool(id),
    pools: async () => {
      const pools: PoolSummary[] = []
      let page: PoolSummary[]
      do {
        const after = pools.at(-1)?.id
        page = await kuji.pools({ ...(after === undefined ? {} : { after }), limit: serverLimits.pageSize })
        pools.push(...page)
      } while (page.length === serverLimits.pageSize)
      return pools
    },
    putPool: (manifest, options) => kuji.putPool(manifest, options),
    close: () => kuji.close(),
  }
}
