import { type DrawOptions, KujiError } from '@kuji/engine/contract'
import type { Caller } from '../access/caller.ts'
import type { Service } from '../service.ts'
import type { Arguments } from './arguments.ts'
import type { Reply } from './reply-writer.ts'
import type { Session } from './session.ts'

/** What the commands of a connection work with. */
export interface CommandContext {
  readonly service: Service
  readonly session: Session
  /** Connections that are open. */
  readonly connections: number
  /** Draws, and answers the command at hand when the outcome is there. */
  draw(pool: string, options: DrawOptions): void
}

export interface Command {
  readonly name: string
  /** All that may follow the name. */
  readonly usage: string
  readonly summary: string
  readonly group: 'connection' | 'server' | 'pool'
  /** Arguments, the name included. */
  readonly least: number
  readonly most: number
  /** May be used before a key has been given. */
  readonly beforeLogin?: true
  /**
   * Items whose answer may take as much memory as this one's while it waits to be written, beside what the arguments
   * take. A connection goes on when what it waits for is below a bound.
   */
  readonly weight?: number
  /**
   * Reads the arguments before it awaits anything, since the next command takes their place, and throws a `KujiError`
   * to refuse. Null: the answer comes by `draw`.
   */
  readonly run: (context: CommandContext, args: Arguments) => Reply | Promise<Reply> | null
}

/** Who makes the request. Commands are not run before there is somebody, but for those that do not ask. */
export function callerOf({ session }: CommandContext): Caller {
  if (session.caller === null) throw new KujiError('UNAUTHENTICATED', 'give a key first: AUTH key')
  return session.caller
}

export function wrongUsage({ name, usage }: Pick<Command, 'name' | 'usage'>): KujiError {
  return new KujiError('INVALID', `usage: ${`${name} ${usage}`.trim()}`)
}

export const ok: Reply = out => out.simple('OK')
