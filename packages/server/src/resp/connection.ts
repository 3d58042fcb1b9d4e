import type { Socket } from 'node:net'
import type { AnswerSink } from '@kuji/engine'
import { type DrawOptions, KujiError, type Receipt } from '@kuji/engine/contract'
import { toKujiError } from '../failure.ts'
import { serverLimits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { DoorMeter } from '../metrics/meter.ts'
import type { Service } from '../service.ts'
import type { Arguments } from './arguments.ts'
import { type Command, type CommandContext, wrongUsage } from './command.ts'
import { isHttp } from './foreign.ts'
import type { Outbox, Recipient } from './outbox.ts'
import { CommandParser, type PartialMemory } from './parser.ts'
import { PendingReplies } from './pending-replies.ts'
import type { ProtocolVersion, Reply, ReplyWriter } from './reply-writer.ts'
import { Session } from './session.ts'

/** What the connections of a door share. */
export interface Host {
  readonly service: Service
  readonly log: Logger
  readonly meter: DoorMeter
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

/** How long a client may take to end its side once the server has ended its own. */
const lingerSeconds = 2
/** Bytes of arguments that weigh as much as one item of an answer. */
const bytesOfWeight = 64

const weighBytes = (args: Arguments) => args.totalLength / bytesOfWeight

/**
 * One client: its commands are taken up in the order in which they come, and each has exactly one reply, in that order.
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
  readonly #pending = new PendingReplies()
  /** What is to be sent: nearly always one piece. */
  #piece: Buffer | null = null
  #pieces: Buffer[] | null = null
  #unsentBytes = 0
  /** The client does not read: the socket has as much as it takes. */
  #full = false
  /** There may be commands that have not been taken up, and the socket is not read. */
  #stalled = false
  /** The client has ended its side: nothing comes behind what has arrived. */
  #lastCame = false
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
    socket.on('end', () => this.#onEnd())
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
    // The rest of a command cannot come while nothing is read; a key could have come before.
    const owes = this.session.caller === null || (this.#parser.amidCommand && !this.#stalled)
    if (!owes || clock - this.#owingSince <= serverLimits.respPatienceSeconds) return
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
    let took = false
    while (this.#mayTakeUp()) {
      if (!parser.next(args)) {
        this.#onExhausted(args, took)
        return
      }
      took = true
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
      this.#pending.count < serverLimits.respInFlight &&
      this.#pending.weight < serverLimits.respAnswerItems
    )
  }

  #onExhausted(args: Arguments, took: boolean): void {
    const parser = this.#parser
    // The command that remains has only begun now, or its rest was not read until now.
    const begins = took || this.#stalled || !parser.amidCommand
    parser.suspend(args)
    args.clear()
    if (parser.fault !== null) {
      this.#fail(parser.fault)
      return
    }
    if (parser.amidCommand && begins && this.session.caller !== null) this.#owingSince = this.#host.clock
    if (this.#lastCame) this.close()
    if (!this.#stalled) return
    this.#stalled = false
    this.#socket.resume()
  }

  #run(args: Arguments): void {
    const { caller } = this.session
    this.#host.meter.requests++
    // The command that this protocol is for, in its common form.
    if (args.count === 2 && caller !== null && args.is(0, 'DRAW')) {
      const number = this.#pending.begin()
      const refusal = caller.admit(1)
      if (refusal !== null) this.answer(number, refusal)
      else this.#host.service.drawTo(caller, this, number, args.id(1))
    } else this.#runOther(args)
  }

  #runOther(args: Arguments): void {
    const { caller } = this.session
    if (isHttp(args)) {
      this.#host.sawHttp()
      this.#closing = true
      this.cut()
      return
    }
    const number = this.#pending.begin()
    try {
      const command = this.#find(args)
      const reply = command.run(this, args)
      if (typeof reply === 'function') this.#settle(number, reply, 1 + weighBytes(args))
      else if (reply !== null) this.#await(number, reply, command, args)
    } catch (error) {
      this.#settle(number, this.#errorReply(error), 1)
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
    const { caller } = this.session
    if (caller === null) {
      if (command?.beforeLogin !== true)
        throw new KujiError('UNAUTHENTICATED', 'give a key first: AUTH key, or HELLO 3 AUTH user key')
    } else if (command === undefined || command.group === 'pool') this.service.admit(caller)
    if (command === undefined) throw new KujiError('INVALID', `unknown command '${name}'`)
    if (args.count < command.least || args.count > command.most) throw wrongUsage(command)
    return command
  }

  draw(pool: string, options: DrawOptions): void {
    const number = this.#pending.last
    const weight = Math.min(options.count ?? 1, serverLimits.respAnswerItems)
    if (weight > 1) this.#keep(number, weight, null)
    this.#host.service.drawTo(this.session.caller!, this, number, pool, options)
  }

  #await(number: number, reply: Promise<Reply>, command: Command, args: Arguments): void {
    this.#keep(number, (command.weight ?? 1) + weighBytes(args), null)
    reply.then(
      value => this.#settleLater(number, value),
      error => this.#settleLater(number, this.#errorReply(error)),
    )
  }

  /** The answer to a draw: a receipt or the refusal. */
  answer(number: number, answer: Receipt | KujiError): void {
    if (this.#gone) return
    const pending = this.#pending
    if (!pending.isNext(number)) {
      this.#settleLater(number, out => this.#writeDraw(out, answer))
      return
    }
    this.#writeDraw(this.#host.outbox.open(this), answer)
    pending.countWritten()
    if (pending.keeps) this.#writeDue()
  }

  #writeDraw(out: ReplyWriter, answer: Receipt | KujiError): void {
    if (answer instanceof KujiError) this.#writeError(out, answer)
    else {
      this.#host.meter.answered(answer)
      out.drawn(answer)
    }
  }

  #writeError(out: ReplyWriter, error: KujiError): void {
    this.#host.meter.refused(error.code)
    out.error(error)
  }

  #errorReply(error: unknown): Reply {
    const known = toKujiError(error)
    if (known !== error) this.#host.log.defect('a RESP command failed', error)
    return out => this.#writeError(out, known)
  }

  /** A reply that is there at once; `weight` is what it takes if it has to wait for its turn. */
  #settle(number: number, reply: Reply, weight: number): void {
    if (this.#pending.isNext(number)) {
      reply(this.#host.outbox.open(this))
      this.#pending.countWritten()
    } else this.#keep(number, weight, reply)
  }

  #settleLater(number: number, reply: Reply): void {
    if (this.#gone) return
    this.#pending.settle(number, this.session.protocol, reply)
    this.#writeDue()
  }

  #keep(number: number, weight: number, reply: Reply | null): void {
    this.#pending.keep(number, weight, this.session.protocol, reply)
  }

  #writeDue(): void {
    for (let due = this.#pending.due; due !== null; due = this.#pending.due) {
      const out = this.#host.outbox.open(this)
      out.protocol = due.protocol
      due.reply(out)
      this.#pending.countWritten()
    }
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

  #onEnd(): void {
    this.#lastCame = true
    // A socket tells of its end though it is paused, when commands that it brought still wait to be taken up.
    if (!this.#stalled) this.close()
  }

  #onDrain(): void {
    this.#full = false
    if (this.#stalled) this.#work()
  }

  /** Tells what is wrong behind the answers that are due, and ends. */
  #fail(error: KujiError): void {
    const number = this.#pending.begin()
    this.#settle(number, out => this.#writeError(out, error), 1)
    this.#closing = true
    this.#parser.release()
    this.#socket.resume()
  }

  #endWhenAnswered(): void {
    if (this.#gone || this.queued || this.#pending.count > 0 || this.#socket.writableEnded) return
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
    this.#pending.forget()
  }
}
