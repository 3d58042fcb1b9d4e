import { KujiError } from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import { version } from '../version.ts'
import type { Arguments } from './arguments.ts'
import { type Command, type CommandContext, ok, wrongUsage } from './command.ts'
import type { ProtocolVersion, Reply, ReplyWriter } from './reply-writer.ts'

const most = serverLimits.respArguments
const group = 'connection'

/** What clients send when they connect, and to see whether anybody is there. */
export const connectionCommands: readonly Command[] = [
  {
    name: 'PING',
    usage: '[message]',
    summary: 'Answers PONG, or the message.',
    group,
    least: 1,
    most: 2,
    run: (_context, args) => (args.count === 1 ? out => out.simple('PONG') : echo(args)),
  },
  {
    name: 'ECHO',
    usage: 'message',
    summary: 'Answers the message.',
    group,
    least: 2,
    most: 2,
    run: (_context, args) => echo(args),
  },
  {
    name: 'AUTH',
    usage: '[user] key',
    summary: 'Gives the API key; a user name is not looked at.',
    group,
    least: 2,
    most: 3,
    beforeLogin: true,
    run: ({ session }, args) => {
      session.login(args.text(args.count - 1))
      return ok
    },
  },
  {
    name: 'HELLO',
    usage: '[2|3 [AUTH user key] [SETNAME name]]',
    summary: 'Chooses the version of the protocol.',
    group,
    least: 1,
    most: 7,
    beforeLogin: true,
    run: hello,
  },
  {
    name: 'CLIENT',
    usage: 'ID|INFO|LIST|GETNAME|SETNAME name|SETINFO attribute value|NO-EVICT mode|NO-TOUCH mode',
    summary: 'About this connection.',
    group,
    least: 2,
    most,
    run: client,
  },
  {
    name: 'SELECT',
    usage: '0',
    summary: 'There is one database, 0.',
    group,
    least: 2,
    most: 2,
    run: (_context, args) => {
      if (args.text(1) === '0') return ok
      throw new KujiError('INVALID', 'there is one database, 0')
    },
  },
  {
    name: 'RESET',
    usage: '',
    summary: 'Forgets the key, the name and the version of the protocol.',
    group,
    least: 1,
    most: 1,
    beforeLogin: true,
    run: ({ session }) => {
      session.reset()
      return out => out.simple('RESET')
    },
  },
  {
    name: 'QUIT',
    usage: '',
    summary: 'Ends the connection behind the replies that are due.',
    group,
    least: 1,
    most,
    beforeLogin: true,
    run: ({ session }) => {
      session.over = true
      return ok
    },
  },
]

function echo(args: Arguments): Reply {
  const message = args.copy(1)
  return out => out.bytes(message)
}

function hello({ session }: CommandContext, args: Arguments): Reply {
  let protocol: ProtocolVersion = session.protocol
  if (args.count > 1) {
    const text = args.text(1)
    // Clients look for this word to go on in another version.
    if (text !== '2' && text !== '3') return out => out.failure('NOPROTO', 'the versions are 2 and 3')
    protocol = text === '3' ? 3 : 2
  }
  let name: string | undefined
  for (let at = 2; at < args.count; ) {
    if (args.is(at, 'AUTH') && at + 2 < args.count) {
      session.login(args.text(at + 2))
      at += 3
    } else if (args.is(at, 'SETNAME') && at + 1 < args.count) {
      name = readName(args, at + 1)
      at += 2
    } else throw wrongUsage({ name: 'HELLO', usage: '[2|3 [AUTH user key] [SETNAME name]]' })
  }
  if (session.caller === null)
    throw new KujiError('UNAUTHENTICATED', 'give a key: HELLO 3 AUTH user key, or AUTH key')
  session.protocol = protocol
  if (name !== undefined) session.name = name
  const { id } = session
  return out => writeHello(out, protocol, id)
}

function writeHello(out: ReplyWriter, protocol: ProtocolVersion, id: number): void {
  out.protocol = protocol
  const texts = { server: 'kuji', version, mode: 'standalone', role: 'master' }
  out.map(7)
  for (const [name, value] of Object.entries(texts)) {
    out.text(name)
    out.text(value)
  }
  out.text('proto')
  out.integer(protocol)
  out.text('id')
  out.integer(id)
  out.text('modules')
  out.array(0)
}

/** A name that fits into a line of CLIENT LIST. Throws `INVALID`. */
function readName(args: Arguments, index: number): string {
  const name = args.length(index) > 128 ? ' ' : args.text(index)
  if (/^[!-~]*$/.test(name)) return name
  throw new KujiError('INVALID', 'name: expected at most 128 characters of ASCII, and no spaces')
}

function client({ session }: CommandContext, args: Arguments): Reply {
  const { id, name, protocol } = session
  const subcommand = args.text(1).toUpperCase()
  const line = `id=${id} name=${name} db=0 resp=${protocol} user=${session.caller?.name ?? ''}\n`
  switch (`${subcommand} ${args.count}`) {
    case 'ID 2':
      return out => out.integer(id)
    case 'GETNAME 2':
      return out => (name === '' ? out.nothing() : out.text(name))
    case 'SETNAME 3':
      session.name = readName(args, 2)
      return ok
    case 'SETINFO 4':
    case 'NO-EVICT 3':
    case 'NO-TOUCH 3':
      return ok
    case 'INFO 2':
      return out => out.text(line)
  }
  // Of the connections of others nothing is told.
  if (subcommand === 'LIST') return out => out.text(line)
  throw new KujiError(
    'INVALID',
    `CLIENT: unknown subcommand or wrong number of arguments for '${subcommand}'`,
  )
}
