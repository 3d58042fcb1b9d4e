import { createInterface } from 'node:readline/promises'
import { KujiError } from '@kuji/engine/contract'
import type { Command } from 'commander'
import { loadPools } from '../config/load-pools.ts'
import { command, exitCodes, printJson } from './outcome.ts'
import { carryOut, changesSomething, makePlan, type Outcome, type Plan } from './plan.ts'
import { encodeOutcome, formatOutcome, formatPlan } from './plan-text.ts'
import { addSourceOptions, type PoolSource, type SourceOptions, withSource } from './source.ts'

interface Options extends SourceOptions {
  readonly yes?: true
  readonly dryRun?: true
  readonly json?: true
}

const examples = `
Examples:
  kuji apply campaign.yaml                shows what would change, and asks
  kuji apply campaign.yaml --dry-run      shows it, and changes nothing
  kuji apply summer.yaml --yes            one manifest, without a question
  kuji apply campaign.yaml --dir ./data   without a server

Takes the pools of a configuration, or one manifest. A pool is changed only where it still is what was shown; what
somebody else has changed in between is left alone (VERSION_CONFLICT). Pools that the file does not name stay as they
are. Drawn units stay drawn.`

export function addApplyCommand(program: Command): void {
  const apply = program
    .command('apply')
    .description('Bring live pools to what a file says, after showing the difference.')
    .argument('<file>', 'a configuration or a manifest, YAML or JSON')
    .option('--yes', 'do not ask; needed where there is no terminal to ask on')
    .option('--dry-run', 'only show the difference')
    .option('--json', 'print the difference, and what came of it, as JSON')
    .addHelpText('after', examples)
  addSourceOptions(apply).action(
    command(async (file: string, options: Options) => {
      const { pools } = await loadPools(file)
      await withSource(options, async source => {
        const plans: Plan[] = []
        for (const manifest of pools) plans.push(await makePlan(source, manifest))
        await applyPlans(source, plans, options)
      })
    }),
  )
}

async function applyPlans(source: PoolSource, plans: readonly Plan[], options: Options): Promise<void> {
  const { yes = false, dryRun = false, json = false } = options
  const changes = plans.filter(changesSomething)
  const asks = !yes && !dryRun && changes.length > 0
  const say = (text: string) => {
    if (!json) process.stdout.write(text)
  }
  // Nobody is asked about what has not been shown; with --json, standard output is for the program that reads it.
  const show = json && asks ? (text: string) => process.stderr.write(text) : say
  for (const plan of plans) show(formatPlan(plan))
  if (changes.length === 0 || dryRun) {
    say(`\n${changes.length === 0 ? 'Nothing to apply.' : 'Nothing was applied: this is a dry run.'}\n`)
    if (json) printOutcomes(plans.map(plan => ({ plan })))
    return
  }
  if (asks) await askToApply(changes.length)
  say('\n')
  const outcomes: Outcome[] = []
  try {
    for (const plan of plans) {
      const outcome = changesSomething(plan) ? await carryOut(source, plan) : { plan }
      outcomes.push(outcome)
      if (outcome.refusal !== undefined) {
        process.exitCode = exitCodes.refused
        process.stderr.write(`kuji: ${formatOutcome(outcome)}`)
      } else if (outcome.result !== undefined) say(formatOutcome(outcome))
    }
  } finally {
    // What was applied before a connection broke is told too.
    if (json) printOutcomes(outcomes)
  }
}

function printOutcomes(outcomes: readonly Outcome[]): void {
  printJson({ pools: outcomes.map(encodeOutcome) })
}

/** Asks on the terminal, beside the output. Throws where the answer is not yes, or nobody is there to give one. */
async function askToApply(count: number): Promise<void> {
  if (process.stdin.isTTY !== true) {
    throw new KujiError(
      'INVALID',
      'nothing was applied: there is no terminal to ask on; --yes applies without asking',
    )
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // The end of the input is an answer too: without this, the question would wait for ever.
  const closed = new Promise<string>(resolve => terminal.once('close', () => resolve('')))
  try {
    const question = `\nApply to ${count === 1 ? 'one pool' : `${count} pools`}? [y/N] `
    const answer = await Promise.race([terminal.question(question), closed])
    if (!/^y(?:es)?$/i.test(answer.trim())) throw new KujiError('INVALID', 'nothing was applied, as answered')
  } finally {
    terminal.close()
  }
}
