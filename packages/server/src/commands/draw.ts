import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { KujiError, type Receipt } from '@kuji/engine/contract'
import { type Command, InvalidArgumentError } from 'commander'
import { encodeReceipt } from '../json.ts'
import type { DrawRequest } from '../service.ts'
import { command, exitCodes } from './outcome.ts'
import { addSourceOptions, type SourceOptions, withSource } from './source.ts'

interface Options extends SourceOptions {
  readonly count: number
  readonly partial?: true
  readonly key?: string
  readonly for?: string
  readonly json?: true
}

const examples = `
Examples:
  kuji draw summer                              one draw from a running server
  kuji draw summer -n 10 --json                 ten draws, all or none, as a JSON receipt
  kuji draw summer -n 10 --partial              ten draws, or what is left
  kuji draw summer --key order-51 --for user-7  once for this order, however often it is run
  kuji draw summer --dir ./data                 without a server

Prints one line a draw: its number and the item. Every draw has an idempotency key, a random one unless --key gives
it; where nobody knows what became of the draw (OUTCOME_UNKNOWN), the command that asks again is printed.`

export function addDrawCommand(program: Command): void {
  const draw = program
    .command('draw')
    .description('Draw from a pool.')
    .argument('<pool>', 'id of the pool')
    .option('-n, --count <n>', 'draws to make, all or none', parseCount, 1)
    .option('--partial', 'take what is left when that is less')
    .option('--key <key>', 'idempotency key: the same key gives the same receipt')
    .option('--for <recipient>', 'whom the draw is for; kept in the log')
    .option('--json', 'print the receipt as JSON')
    .addHelpText('after', examples)
  addSourceOptions(draw).action(
    command(async (pool: string, options: Options) => {
      const { count, partial, key = randomUUID(), for: recipient } = options
      const request: DrawRequest = {
        ...{ pool, count, key },
        ...(partial === undefined ? {} : { partial }),
        ...(recipient === undefined ? {} : { recipient }),
      }
      await drawAndPrint(request, options)
    }),
  )
}

/** From the moment the draw is asked for until its receipt is written, nothing that goes wrong takes the key along. */
async function drawAndPrint(request: DrawRequest, options: Options): Promise<void> {
  const again = wayBack(request, options)
  const findsOut = `Its key finds out, and draws at most once:\n  ${again}`
  const forget = onInterrupt(() => {
    const message = 'interrupted before the answer; the request may have taken place'
    process.stderr.write(`kuji: OUTCOME_UNKNOWN: ${message}. ${findsOut}\n`)
  })
  try {
    const receipt = await withSource(options, source => source.draw(request))
    if (receipt.replayed) process.stderr.write('kuji: this key has drawn before, and this is what\n')
    if (await write(options.json ? `${JSON.stringify(encodeReceipt(receipt))}\n` : format(receipt))) return
    process.stderr.write(`kuji: the draw has taken place, and its key shows it again:\n  ${again}\n`)
    process.exitCode = exitCodes.refused
  } catch (error) {
    if (!(error instanceof KujiError) || error.code !== 'OUTCOME_UNKNOWN') throw error
    throw new KujiError(error.code, `${error.message}. ${findsOut}`)
  } finally {
    forget()
  }
}

/** Says something before a signal ends the process as it would have. Returns what takes that back. */
function onInterrupt(say: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const forget = () => {
    for (const signal of signals) process.removeListener(signal, end)
  }
  const end = (signal: NodeJS.Signals) => {
    forget()
    say()
    process.kill(process.pid, signal)
  }
  for (const signal of signals) process.on(signal, end)
  return forget
}

/** Whether the text has left; where it has not, the error is told before this returns. */
async function write(text: string): Promise<boolean> {
  const error = await new Promise<unknown>(resolve => process.stdout.write(text, resolve))
  if (error) await nextTurn()
  return !error
}

function format({ id, items }: Receipt): string {
  return items.map((item, index) => `${id + index} ${item}\n`).join('')
}

/** The command that asks for the same draw with the same key. */
function wayBack(request: DrawRequest, { server, dir }: Options): string {
  const { pool, count, partial, key = '', recipient } = request
  const words = ['kuji', 'draw', pool, '-n', String(count), ...(partial ? ['--partial'] : []), '--key', key]
  if (recipient !== undefined) words.push('--for', recipient)
  words.push(...(dir === undefined ? ['--server', server.origin] : ['--dir', dir]))
  return words.map(quoteWord).join(' ')
}

/** A word as a shell reads it. */
function quoteWord(word: string): string {
  return /^[\w./:@=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1) return count
  throw new InvalidArgumentError('expected a whole number from 1.')
}
