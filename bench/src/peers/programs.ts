import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Programs of others that contests call, and the Debian packages that have them. */
const packages = {
  'redis-server': 'redis-server',
  'redis-cli': 'redis-tools',
  'redis-benchmark': 'redis-tools',
  wrk: 'wrk',
  postgres: 'postgresql',
  initdb: 'postgresql',
  psql: 'postgresql',
  pgbench: 'postgresql',
  setpriv: 'util-linux',
  taskset: 'util-linux',
  prlimit: 'util-linux',
} as const

export type ProgramName = keyof typeof packages

const debianPostgres = '/usr/lib/postgresql'

/** Where to look: the search path, and where Debian keeps the programs of PostgreSQL, the newest first. */
function directories(): string[] {
  const versions = existsSync(debianPostgres) ? readdirSync(debianPostgres) : []
  const postgres = versions.sort((a, b) => Number(b) - Number(a))
  const path = (process.env.PATH ?? '').split(delimiter).filter(entry => entry !== '')
  return path.length === 0 ? [] : [...postgres.map(version => join(debianPostgres, version, 'bin')), ...path]
}

/** The path of a program, or undefined where it is not installed. */
export function findProgram(name: ProgramName): string | undefined {
  return directories()
    .map(directory => join(directory, name))
    .find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path of a program that is known to be there. */
export function pathOf(name: ProgramName): string {
  const path = findProgram(name)
  if (path === undefined) throw new Error(`${name} is not installed: ${installCommand([name])}`)
  return path
}

export function installCommand(names: readonly ProgramName[]): string {
  return `apt-get install ${[...new Set(names.map(name => packages[name]))].join(' ')}`
}

/** What a program says of its version, or '' where it is not there. */
export function versionOf(name: ProgramName): string {
  const path = findProgram(name)
  if (path === undefined) return ''
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 })
  return /\d+\.\d+(?:\.\d+)?/.exec(stdout)?.[0] ?? stdout.trim()
}
