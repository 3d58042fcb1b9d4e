import type { Socket } from 'node:net'
import type { AnswerSink } from '@kuji/engine'
import { type DrawOptions, KujiError, type Receipt } from '@kuji/engine/contract'
import { toKujiError } from '../failure.ts'
import { serverLimits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { Service } from '../service.ts'
import type { Arguments } from './arguments.ts'
import { type Command, type CommandContext, wrongUsage } from './command.ts'
import { isHttp } from './foreign.ts'
import type { Outbox, Recipient } from './outbox.ts'
import { CommandParser, type PartialMemory } from './parser.ts'
import type { ProtocolVersion, Reply } from './reply-writer.ts'
import { Session } from './session.ts'

/** What the connections of a door share. */
export interface Host {
  readonly service: Service
  readonly log: Logger
  readonly commands: ReadonlyMap<string, Command>
  readonly args: Arguments
  readonly outbox: Outbox
  readonly memory: PartialMemory
  /** Connections that are open. */
  readonly connections: ReadonlySet<Connection>
  /** Seconds, as the door counts them. */
  readonly clock: number
  /** Somebody sent HTTP. */
  sawHttp(): void
}

/** A reply that cannot be written yet, since it is not there or not its turn. */
interface Waiting {
  readonly weight: number
  readonly protocol: ProtocolVersion
  reply: Reply | null
}

/** Bytes of arguments that weigh as much as one item of an answer. */
const bytesOfWeight = 64

/**
 * One client. Each command gets a number; its answer may come at any time, and is written when all before it are. Draws
 * come back in their order, so that for them this is a count: nothing is kept, or allocated, for a draw under way.
 *
 * Back-pressure goes both ways. The connection stops to take commands, and then to read, while too many of them are
 * under way or the client does not read what it is sent; what it may have under way bounds what the answers can take.
 */
export class Connection implements AnswerSink, Recipient, CommandContext {
  readonly session: Session
  queued = false
  readonly #host: Host
  readonly #socket: Socket
  readonly #parser: CommandParser
  /** Numbers of the next command, and of the next one to be answered. */
  #next = 0
  #answered = 0
  #waiting: Map<number, Waiting> | null = null
  #weight = 0
  /** What is to be sent: nearly always one piece. */
  #piece: Buffer | null = null
  #pieces: Buffer[] | null = null
  #unsentBytes = 0
  /** The client does not read: the socket has as much as it takes. */
  #full = false
  /** There may be commands that have not been taken up, and the socket is not read. */
  #stalled = false
  /** No more commands are taken up; the end comes when all are answered. */
  #closing = false
  #gone = false
  /** Since when the client, by the clock of the door, has owed the rest of a command, a key, or its side of the end. */
  #owingSince: number

  constructor(id: number, socket: Socket, host: Host) {
    this.#host = host
    this.#socket = socket
    this.session = new Session(id, host.service)
    this.#parser = new CommandParser(host.memory)
    this.#parser.trust(this.session.caller !== null)
    this.#owingSince = host.clock
    socket.on('data', chunk => this.#take(chunk as Buffer))
    socket.on('drain', () => this.#onDrain())
    socket.on('end', () => this.close())
    socket.on('close', () => this.#onClose())
    // A client that went away without a word; 'close' follows.
    socket.on('error', () => {})
  }

  get service(): Service {
    return this.#host.service
  }

  get connections(): number {
    return this.#host.connections.size
  }

  get protocol(): ProtocolVersion {
    return this.session.protocol
  }

  get gone(): boolean {
    return this.#gone
  }

  /** Takes no more commands, answers those under way, and ends. */
  close(): void {
    this.#closing = true
    this.#endWhenAnswered()
  }

  /** Ends at once. */
  cut(): void {
    this.#socket.destroy()
  }

  /** Cuts a client that has owed something for too long. */
  checkDebts(): void {
    const { clock } = this.#host
    const { writableEnded, writableFinished } = this.#socket
    if (writableEnded) {
      const most = writableFinished ? lingerSeconds : serverLimits.respPatienceSeconds
      if (clock - this.#owingSince > most) this.cut()
      return
    }
    if (this.#closing) return
    const owes = this.#parser.amidCommand || this.session.caller === null
    if (!owes || this.#stalled || clock - this.#owingSince <= serverLimits.respPatienceSeconds) return
    this.#fail(
      new KujiError('INVALID', 'Protocol error: the rest of a command, or a key, did not come in time'),
    )
  }

  #take(chunk: Buffer): void {
    if (this.#closing) return
    const { args } = this.#host
    if (this.#stalled) this.#parser.suspend(args)
    this.#parser.feed(chunk, args)
    this.#work()
  }

  /** Takes up the commands that have arrived, as many as may be under way. */
  #work(): void {
    const { args } = this.#host
    const parser = this.#parser
    while (this.#mayTakeUp()) {
      if (!parser.next(args)) {
        this.#onExhausted(args)
        return
      }
      if (args.count > 0) this.#run(args)
    }
    args.clear()
    if (this.#closing) {
      parser.release()
      this.#socket.resume()
      this.#endWhenAnswered()
    } else if (!this.#stalled) {
      this.#stalled = true
      this.#socket.pause()
    }
  }

  #mayTakeUp(): boolean {
    if (this.#unsentBytes >= serverLimits.respUnsentBytes) this.#send()
    return (
      !this.#full &&
      !this.#closing &&
      this.#next - this.#answered < serverLimits.respInFlight &&
      this.#weight < serverLimits.respAnswerItems
    )
  }

  #onExhausted(args: Arguments): void {
    const parser = this.#parser
    const wasAmid = parser.amidCommand
    parser.suspend(args)
    args.clear()
    if (parser.fault !== null) {
      this.#fail(parser.fault)
      return
    }
    if (parser.amidCommand && !wasAmid && this.session.caller !== null) this.#owingSince = this.#host.clock
    if (!this.#stalled) return
    this.#stalled = false
    this.#socket.resume()
  }

  #run(args: Arguments): void {
    const { caller } = this.session
    // The command that this protocol is for, in its common form.
    if (args.count === 2 && caller !== null && args.is(0, 'DRAW'))
      this.#host.service.drawTo(caller, this, this.#next++, args.id(1))
    else this.#runOther(args)
  }

  #runOther(args: Arguments): void {
    const { caller } = this.session
    if (isHttp(args)) {
      this.#host.sawHttp()
      this.#closing = true
      this.cut()
      return
    }
    const number = this.#next++
    try {
      const command = this.#find(args)
      const reply = command.run(this, args)
      if (typeof reply === 'function') this.#settle(number, reply, args)
      else if (reply !== null) this.#await(number, reply, command, args)
    } catch (error) {
      this.#settle(number, this.#errorReply(error), args)
    }
    if (this.session.caller !== caller) {
      this.#parser.trust(this.session.caller !== null)
      this.#owingSince = this.#host.clock
    }
    if (this.session.over) this.#closing = true
  }

  /** Throws where there is no such command, or not for this client, or not with so many arguments. */
  #find(args: Arguments): Command {
    const name = args.length(0) > 64 ? `${args.text(0).slice(0, 64)}…` : args.text(0)
    const command = this.#host.commands.get(name.toUpperCase())
    if (this.session.caller === null && command?.beforeLogin !== true)
      throw new KujiError('UNAUTHENTICATED', 'give a key first: AUTH key, or HELLO 3 AUTH user key')
    if (command === undefined) throw new KujiError('INVALID', `unknown command '${name}'`)
    if (args.count < command.least || args.count > command.most) throw wrongUsage(command)
    return command
  }

  draw(pool: string, options: DrawOptions): void {
    const number = this.#next - 1
    const weight = Math.min(options.count ?? 1, serverLimits.respAnswerItems)
    if (weight > 1) this.#expect(number, weight, null)
    this.#host.service.drawTo(this.session.caller!, this, number, pool, options)
  }

  #await(number: number, reply: Promise<Reply>, command: Command, args: Arguments): void {
    this.#expect(number, (command.weight ?? 1) + args.totalLength / bytesOfWeight, null)
    reply.then(
      value => this.#settleExpected(number, value),
      error => this.#settleExpected(number, this.#errorReply(error)),
    )
  }

  /** The answer to a draw: a receipt or the refusal. */
  answer(number: number, answer: Receipt | KujiError): void {
    if (this.#gone) return
    if (number !== this.#answered) {
      this.#settleExpected(number, this.#drawReply(answer))
      return
    }
    const out = this.#host.outbox.open(this)
    if (answer instanceof KujiError) out.error(answer)
    else out.drawn(answer)
    this.#answered++
    if (this.#waiting !== null) this.#goOn(number)
  }

  #drawReply(answer: Receipt | KujiError): Reply {
    return out => (answer instanceof KujiError ? out.error(answer) : out.drawn(answer))
  }

  #errorReply(error: unknown): Reply {
    const known = toKujiError(error)
    if (known !== error) this.#host.log.defect('a RESP command failed', error)
    return out => out.error(known)
  }

  #settle(number: number, reply: Reply, args: Arguments): void {
    if (number === this.#answered) {
      reply(this.#host.outbox.open(this))
      this.#answered++
    } else this.#expect(number, 1 + args.totalLength / bytesOfWeight, reply)
  }

  #settleExpected(number: number, reply: Reply): void {
    if (this.#gone) return
    const entry = this.#waiting?.get(number)
    if (entry === undefined) this.#expect(number, 1, reply)
    else entry.reply = reply
    this.#writeDue()
  }

  #expect(number: number, weight: number, reply: Reply | null): void {
    this.#waiting ??= new Map()
    this.#waiting.set(number, { weight, protocol: this.session.protocol, reply })
    this.#weight += weight
  }

  /** Command `number` has been answered: forgets what was kept for it, and writes what waited for it. */
  #goOn(number: number): void {
    this.#forget(number)
    this.#writeDue()
  }

  #writeDue(): void {
    for (;;) {
      const entry = this.#waiting?.get(this.#answered)
      if (!entry?.reply) return
      const out = this.#host.outbox.open(this)
      out.protocol = entry.protocol
      entry.reply(out)
      this.#forget(this.#answered++)
    }
  }

  #forget(number: number): void {
    const waiting = this.#waiting
    const entry = waiting?.get(number)
    if (entry === undefined) return
    this.#weight -= entry.weight
    waiting!.delete(number)
    if (waiting!.size === 0) this.#waiting = null
  }

  send(bytes: Buffer): void {
    this.#unsentBytes += bytes.length
    if (this.#piece === null) this.#piece = bytes
    else (this.#pieces ??= []).push(bytes)
  }

  flush(): void {
    this.#send()
    if (this.#closing) this.#endWhenAnswered()
    else if (this.#stalled) this.#work()
  }

  #send(): void {
    const piece = this.#piece
    if (piece === null) return
    const pieces = this.#pieces
    this.#piece = null
    this.#pieces = null
    this.#unsentBytes = 0
    if (this.#gone) return
    const socket = this.#socket
    if (pieces === null) {
      if (!socket.write(piece)) this.#full = true
      return
    }
    socket.cork()
    socket.write(piece)
    for (const other of pieces) socket.write(other)
    socket.uncork()
    this.#full = socket.writableNeedDrain
  }

  #onDrain(): void {
    this.#full = false
    if (this.#stalled) this.#work()
  }

  /** Tells what is wrong behind the answers that are due, and ends. */
  #fail(error: KujiError): void {
    const number = this.#next++
    const reply: Reply = out => out.error(error)
    if (number === this.#answered) {
      reply(this.#host.outbox.open(this))
      this.#answered++
    } else this.#expect(number, 1, reply)
    this.#closing = true
    this.#parser.release()
    this.#socket.resume()
  }

  #endWhenAnswered(): void {
    if (this.#gone || this.queued || this.#answered < this.#next || this.#socket.writableEnded) return
    this.#owingSince = this.#host.clock
    this.#parser.release()
    // What still comes is read and dropped: bytes left unread would turn the end into a reset, and lose the last reply.
    this.#socket.resume()
    this.#socket.end()
  }

  #onClose(): void {
    this.#gone = true
    this.#closing = true
    this.#parser.release()
    this.#piece = null
    this.#pieces = null
    this.#waiting = null
  }
}

/** How long a client may take to end its side once the server has ended its own. */
const lingerSeconds = 2
