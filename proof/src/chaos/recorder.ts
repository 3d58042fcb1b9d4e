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
import { now } from './clock.ts'

/** Lines of a history file: a question, written before it is sent, and its answer, written when it is there. */
interface AskedLine {
  readonly op: string
  /** The life of the server that was asked. */
  readonly life: number
  readonly asked: number
  readonly request: Request
}

interface AnsweredLine {
  readonly op: string
  readonly answered: number
  readonly outcome: Outcome
}

/** A life of the server, and how it ended: by kill -9, after a signal to stop, or because its log had failed. */
export interface LifeLine {
  readonly life: number
  readonly ended: number
  readonly end: 'killed' | 'stopped' | 'failed'
}

/** One attempt as it was written down. */
export interface RecordedAttempt extends AskedLine {
  readonly client: string
  /** None where the client was killed before it had one. */
  readonly answer?: AnsweredLine
}

const historyFolder = 'history'
const livesFile = 'lives.jsonl'

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
    const outcome = await send().catch((): Outcome => ({ kind: 'unknown' }))
    this.#write({ op, answered: now(), outcome })
    return outcome
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

export function recordLife(directory: string, line: LifeLine): void {
  appendFileSync(join(directory, livesFile), `${JSON.stringify(line)}\n`)
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
