import type { Command } from 'commander'
import { command, printJson } from './outcome.ts'
import { formatPool, formatPools } from './pool-tables.ts'
import { addSourceOptions, type SourceOptions, withSource } from './source.ts'

interface Options extends SourceOptions {
  readonly json?: true
}

const examples = `
Examples:
  kuji pools                      the pools of a running server
  kuji pools summer               one pool: stock, what is left, odds of the next draw
  kuji pools summer --json        the same as JSON
  kuji pools --dir ./data         without a server`

export function addPoolsCommand(program: Command): void {
  const pools = program
    .command('pools')
    .description('List the pools, or show one.')
    .argument('[pool]', 'id of the pool to show')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
  addSourceOptions(pools).action(
    command(async (id: string | undefined, options: Options) => {
      if (id === undefined) {
        const list = await withSource(options, source => source.pools())
        if (options.json) printJson({ pools: list })
        else process.stdout.write(formatPools(list))
        return
      }
      const pool = await withSource(options, source => source.pool(id))
      if (options.json) printJson(pool)
      else process.stdout.write(formatPool(pool))
    }),
  )
}
