import { KujiError } from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import { version } from '../version.ts'
import type { Arguments } from './arguments.ts'
import type { Command, CommandContext } from './command.ts'
import type { Reply, ReplyWriter } from './reply-writer.ts'

const most = serverLimits.respArguments
const group = 'server'

/** What tools and libraries ask about the server. `table` has all commands by name, these included. */
export function serverCommands(table: ReadonlyMap<string, Command>): readonly Command[] {
  return [
    {
      name: 'COMMAND',
      usage: '[COUNT|LIST|INFO name …|DOCS name …]',
      summary: 'The commands there are.',
      group,
      least: 1,
      most,
      run: (_context, args) => describeCommands(table, args),
    },
    {
      name: 'INFO',
      usage: '[section …]',
      summary: 'How the server is doing.',
      group,
      least: 1,
      most,
      run: describeServer,
    },
    {
      name: 'CONFIG',
      usage: 'GET name …',
      summary: 'Redis has settings here; kuji has none.',
      group,
      least: 3,
      most,
      run: (_context, args) => {
        if (args.is(1, 'GET')) return writeSetting(args.text(2).toLowerCase())
        throw new KujiError('INVALID', 'CONFIG: only GET is here; kuji is configured by its file')
      },
    },
  ]
}

/** What redis-benchmark asks for before it starts, in the words of Redis: no dumps by the clock, and a log. */
const settings = new Map([
  ['save', ''],
  ['appendonly', 'yes'],
])

function writeSetting(name: string): Reply {
  const value = settings.get(name)
  if (value === undefined) return out => out.map(0)
  return out => {
    out.map(1)
    out.text(name)
    out.text(value)
  }
}

function describeCommands(table: ReadonlyMap<string, Command>, args: Arguments): Reply {
  const subcommand = args.count === 1 ? 'INFO' : args.text(1).toUpperCase()
  const asked: string[] = []
  for (let at = 2; at < args.count; at++) asked.push(args.text(at).toUpperCase())
  const names = asked.length === 0 ? [...table.keys()] : asked
  switch (subcommand) {
    case 'COUNT':
      return out => out.integer(table.size)
    case 'LIST':
      return out => writeTexts(out, [...table.keys()].map(lowerCase))
    case 'INFO':
      return out => {
        out.array(names.length)
        for (const name of names) writeCommand(out, table.get(name))
      }
    case 'DOCS': {
      const known = names.filter(name => table.has(name))
      return out => {
        out.map(known.length)
        for (const name of known) writeDocs(out, table.get(name)!)
      }
    }
  }
  throw new KujiError('INVALID', `COMMAND: unknown subcommand '${subcommand}'`)
}

const lowerCase = (name: string) => name.toLowerCase()

function writeTexts(out: ReplyWriter, texts: readonly string[]): void {
  out.array(texts.length)
  for (const text of texts) out.text(text)
}

/** As Redis describes one: name, arity, flags, no keys (pools are none: there is no cluster to find them in), … */
function writeCommand(out: ReplyWriter, command: Command | undefined): void {
  if (command === undefined) {
    out.nothing()
    return
  }
  out.array(10)
  out.text(command.name.toLowerCase())
  out.integer(command.least === command.most ? command.least : -command.least)
  out.array(1)
  out.simple(command.group === 'pool' ? 'write' : 'fast')
  for (let key = 0; key < 3; key++) out.integer(0)
  // Categories, tips, key specifications, subcommands.
  for (let list = 0; list < 4; list++) out.array(0)
}

function writeDocs(out: ReplyWriter, { name, usage, summary, group: kind }: Command): void {
  out.text(name.toLowerCase())
  const fields = { summary, since: '0.1.0', group: kind, complexity: usage }
  const entries = Object.entries(fields)
  out.map(entries.length)
  for (const [field, value] of entries) {
    out.text(field)
    out.text(value)
  }
}

/** In Redis' form, with the fields that clients look for: libraries wait until `loading` is 0. */
function describeServer({ service, connections }: CommandContext, args: Arguments): Reply {
  const { durability, state, lsn, drawNumber, queued } = service.health()
  const sections = {
    server: { kuji_version: version, redis_mode: 'standalone', process_id: process.pid },
    clients: { connected_clients: connections },
    persistence: { loading: 0, durability, state, lsn },
    stats: { draws: drawNumber, queued },
    replication: { role: 'master', connected_slaves: 0 },
  }
  const asked = new Set<string>()
  for (let at = 1; at < args.count; at++) asked.add(args.text(at).toLowerCase())
  const all = asked.size === 0 || asked.has('default') || asked.has('all') || asked.has('everything')
  const text = Object.entries(sections)
    .filter(([name]) => all || asked.has(name))
    .map(([name, fields]) => `# ${name[0]!.toUpperCase()}${name.slice(1)}\r\n${formatFields(fields)}`)
    .join('\r\n')
  return out => out.text(text)
}

function formatFields(fields: Readonly<Record<string, string | number>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('')
}
