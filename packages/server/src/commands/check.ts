import { styleText } from 'node:util'
import { open } from '@kuji/engine'
import type { PoolManifest, PoolState } from '@kuji/engine/contract'
import type { Command } from 'commander'
import { loadConfiguration } from '../config/load.ts'
import { loadPools } from '../config/load-pools.ts'
import { findPoolWarnings, type PoolWarning } from '../config/pool-warnings.ts'
import { command, printJson } from './outcome.ts'
import { formatPool } from './pool-tables.ts'

/** Items of a pool that are listed. */
const listedItems = 30

const examples = `
Examples:
  kuji check campaign.yaml         a configuration, as kuji serve would take it
  kuji check summer.yaml           one manifest
  kuji check campaign.yaml --json

Starts nothing and changes nothing. Prints the pools with their first odds, and warns of what is permitted and most
likely not meant. Mistakes are told with line and column, and exit code 1; warnings alone end with 0.`

export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .description('Check a configuration without starting it.')
    .argument('<file>', 'a configuration or a manifest, YAML or JSON')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(
      command(async (file: string, { json }: { json?: true }) => {
        const { kind, text, pools } = await loadPools(file)
        // What only the machine that serves it can tell: certificates, addresses.
        if (kind === 'configuration') await loadConfiguration(file, text)
        const states = await describePools(pools)
        const warnings = pools.flatMap(findPoolWarnings)
        if (json) printJson({ file, kind, pools: states, warnings })
        else printFindings(file, kind, states, warnings)
      }),
    )
}

/** The pools as they would be created. */
async function describePools(pools: readonly PoolManifest[]): Promise<PoolState[]> {
  const trial = await open({ durability: 'none' })
  try {
    const states: PoolState[] = []
    for (const pool of pools) {
      await trial.putPool(pool)
      states.push(await trial.pool(pool.id))
    }
    return states
  } finally {
    await trial.close()
  }
}

function printFindings(
  file: string,
  kind: string,
  pools: readonly PoolState[],
  warnings: readonly PoolWarning[],
): void {
  const count = pools.length === 1 ? 'one pool' : `${pools.length} pools`
  process.stdout.write(
    kind === 'manifest' ? `${file} is a good manifest\n` : `${file} is good, with ${count}\n`,
  )
  for (const pool of pools) {
    const more = pool.items.length - listedItems
    const rest = more > 0 ? `… and ${more.toLocaleString('en')} more\n` : ''
    process.stdout.write(`\n${formatPool({ ...pool, items: pool.items.slice(0, listedItems) })}${rest}`)
  }
  if (warnings.length > 0) process.stdout.write('\n')
  const word = styleText('yellow', 'warning', { stream: process.stdout })
  for (const { pool, item, message } of warnings)
    process.stdout.write(`${word}: ${pool}${item === undefined ? '' : `: ${item}`}: ${message}\n`)
}
