import { randomUUID } from 'node:crypto'
import { KujiError, type Receipt } from '@kuji/engine/contract'
import { type Command, InvalidArgumentError } from 'commander'
import { encodeReceipt } from '../json.ts'
import type { DrawRequest } from '../service.ts'
import { command, printJson } from './outcome.ts'
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
  kuji draw summer --key order-42 --for user-7  once for this order, however often it is run
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
      const receipt = await withSource(options, source => source.draw(request)).catch((error: unknown) => {
        throw withWayBack(error, request, options)
      })
      if (options.json) printJson(encodeReceipt(receipt))
      else printReceipt(receipt)
    }),
  )
}

function printReceipt({ id, items, replayed }: Receipt): void {
  if (replayed) process.stderr.write('kuji: this key has drawn before, and this is what\n')
  process.stdout.write(items.map((item, index) => `${id + index} ${item}\n`).join(''))
}

/** An `OUTCOME_UNKNOWN` with the command that finds out: the same draw with the same key. */
function withWayBack(error: unknown, request: DrawRequest, { server, dir }: Options): unknown {
  if (!(error instanceof KujiError) || error.code !== 'OUTCOME_UNKNOWN') return error
  const { pool, count, partial, key = '', recipient } = request
  const words = ['kuji', 'draw', pool, '-n', String(count), ...(partial ? ['--partial'] : []), '--key', key]
  if (recipient !== undefined) words.push('--for', recipient)
  words.push(...(dir === undefined ? ['--server', server.origin] : ['--dir', dir]))
  const again = words.map(quoteWord).join(' ')
  return new KujiError(error.code, `${error.message}. Its key finds out, and draws at most once:\n  ${again}`)
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
