import { type Command, InvalidArgumentError } from 'commander'
import { encodeReceipt } from '../json.ts'
import { command, printJson } from './outcome.ts'
import { addSourceOptions, type SourceOptions, withSource } from './source.ts'

interface Options extends SourceOptions {
  readonly count: number
  readonly partial?: true
  readonly json?: true
}

const examples = `
Examples:
  kuji draw summer                   one draw from a running server
  kuji draw summer -n 10 --json      ten draws, all or none, as a JSON receipt
  kuji draw summer -n 10 --partial   ten draws, or what is left
  kuji draw summer --dir ./data      without a server

Prints one line a draw: its number and the item.`

export function addDrawCommand(program: Command): void {
  const draw = program
    .command('draw')
    .description('Draw from a pool.')
    .argument('<pool>', 'id of the pool')
    .option('-n, --count <n>', 'draws to make, all or none', parseCount, 1)
    .option('--partial', 'take what is left when that is less')
    .option('--json', 'print the receipt as JSON')
    .addHelpText('after', examples)
  addSourceOptions(draw).action(
    command(async (pool: string, options: Options) => {
      const { count, partial = false } = options
      const receipt = await withSource(options, source => source.draw({ pool, count, partial }))
      if (options.json) printJson(encodeReceipt(receipt))
      else
        process.stdout.write(receipt.items.map((item, index) => `${receipt.id + index} ${item}\n`).join(''))
    }),
  )
}

function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1) return count
  throw new InvalidArgumentError('expected a whole number from 1.')
}
