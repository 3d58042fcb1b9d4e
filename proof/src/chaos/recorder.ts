import {
  appendFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import type { Outcome, Request } from '../history/index.ts'
import { LostAnswer } from './client/door.ts'
import { now } from './clock.ts'

/** Lines of a history file: a question, written before it is sent, and its answer, written when it is there. */
interface AskedLine {
  readonly op: string
  /** The life of the server that was asked. */
  readonly life: number
  readonly asked: number
  readonly request: Request
}

interface AnsweredLine extends Answered {
  readonly op: string
  readonly answered: number
}

/**
 * Why an outcome is not known: the connection was lost, nobody waited any longer, the server said so
 * (OUTCOME_UNKNOWN), or what came is not an answer.
 */
type Loss = LostAnswer['how'] | 'told' | 'malformed'

interface Answered {
  readonly outcome: Outcome
  readonly lost?: Loss
  /** What is wrong with what came. */
  readonly fault?: string
}

/** A life of the server, and how it ended: by kill -9, after a signal to stop, or because its log had failed. */
export interface LifeLine {
  readonly life: number
  readonly ended: number
  readonly end: 'killed' | 'stopped' | 'failed'
  /** The time of day at the zero of all times here, in milliseconds since 1970, as it was when the life ended. */
  readonly zero: number
}

/** A mishap, from before it was brought about until all was well again. */
export interface EpisodeLine {
  readonly name: string
  readonly from: number
  readonly to: number
}

/** One attempt as it was written down. */
export interface RecordedAttempt extends AskedLine {
  readonly client: string
  /** None where the client was killed before it had one. */
  readonly answer?: AnsweredLine
}

const historyFolder = 'history'
const livesFile = 'lives.jsonl'
const episodesFile = 'episodes.jsonl'

let runs = 0

/** Writes down what one client asks and is answered. Each line is one write, so that a kill loses none. */
export class Recorder {
  readonly #file: number
  readonly #run = `${process.pid}.${Date.now().toString(36)}.${runs++}`
  #count = 0

  constructor(directory: string, client: string) {
    mkdirSync(join(directory, historyFolder), { recursive: true })
    this.#file = openSync(join(directory, historyFolder, `${client}.jsonl`), 'a')
  }

  /** Asks by `send`; an outcome that cannot be known is written down as such. */
  async record(life: number, request: Request, send: () => Promise<Outcome>): Promise<Outcome> {
    const op = `${this.#run}.${this.#count++}`
    this.#write({ op, life, asked: now(), request })
    const answered = await learn(send)
    this.#write({ op, answered: now(), ...answered })
    return answered.outcome
  }

  /** Writes down what took place by other means, between a moment and now. */
  note(life: number, request: Request, outcome: Outcome, since: number): void {
    const op = `${this.#run}.${this.#count++}`
    this.#write({ op, life, asked: since, request })
    this.#write({ op, answered: now(), outcome })
  }

  #write(line: AskedLine | AnsweredLine): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`)
  }
}

async function learn(send: () => Promise<Outcome>): Promise<Answered> {
  try {
    const outcome = await send()
    return outcome.kind === 'unknown' ? { outcome, lost: 'told' } : { outcome }
  } catch (error) {
    const outcome = { kind: 'unknown' } as const
    return error instanceof LostAnswer
      ? { outcome, lost: error.how }
      : { outcome, lost: 'malformed', fault: String(error) }
  }
}

/** How many answers a client has written down so far, while it goes on. */
export function countAnswers(directory: string, client: string): number {
  const file = join(directory, historyFolder, `${client}.jsonl`)
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  return lines.filter(line => line.includes('"answered":') && !line.includes('"kind":"unknown"')).length
}

export function recordLife(directory: string, line: Omit<LifeLine, 'zero'>): void {
  const whole: LifeLine = { ...line, zero: Date.now() - now() }
  appendFileSync(join(directory, livesFile), `${JSON.stringify(whole)}\n`)
}

export function recordEpisode(directory: string, line: EpisodeLine): void {
  appendFileSync(join(directory, episodesFile), `${JSON.stringify(line)}\n`)
}

export function readEpisodes(directory: string): EpisodeLine[] {
  return readLines(join(directory, episodesFile)) as EpisodeLine[]
}

/** Whether a campaign has left anything there. */
export function hasHistory(directory: string): boolean {
  return existsSync(join(directory, historyFolder))
}

export function readLives(directory: string): LifeLine[] {
  return readLines(join(directory, livesFile)) as LifeLine[]
}

export function readAttempts(directory: string): RecordedAttempt[] {
  return readdirSync(join(directory, historyFolder)).flatMap(name =>
    readAttemptsOf(directory, basename(name, '.jsonl')),
  )
}

/** None where the client has written nothing yet. */
export function readAttemptsOf(directory: string, client: string): RecordedAttempt[] {
  const attempts = new Map<string, RecordedAttempt>()
  for (const line of readLines(join(directory, historyFolder, `${client}.jsonl`)) as (
    | AskedLine
    | AnsweredLine
  )[]) {
    if ('request' in line) attempts.set(line.op, { ...line, client })
    else attempts.set(line.op, { ...attempts.get(line.op)!, answer: line })
  }
  return [...attempts.values()]
}

function readLines(file: string): unknown[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  // What a kill has cut short is the last line of its process, and was not sent yet.
  return lines.flatMap(line => (line.endsWith('}') ? [JSON.parse(line)] : []))
}
