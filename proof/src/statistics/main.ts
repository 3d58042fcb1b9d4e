import { writeFileSync } from 'node:fs'
import { runCommand, UsageError } from '../command/command.ts'
import { levelOf, runCampaign } from './campaign.ts'
import { checks } from './checks/index.ts'
import { parseOptions, type StatisticsOptions, usage } from './options.ts'
import { freshPools, seededPools } from './pools.ts'
import { sampleSize } from './power.ts'
import { writeStream } from './stream.ts'
import { heading, linesOf, recordOf } from './table.ts'

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Where somebody looks on: what is under way, in a line that the next one takes the place of. */
function tellProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

async function run({ fresh, seed, draws, only, json }: StatisticsOptions): Promise<boolean> {
  const chosen = checks.filter(({ name }) => name.includes(only))
  if (chosen.length === 0)
    throw new UsageError(`--only: no check is called so:\n${checks.map(c => c.name).join('\n')}`)
  const { alpha, power } = levelOf(checks.length)
  const plain = sampleSize(0.1, 0.01, { alpha, power })
  say(
    `${chosen.length} of ${checks.length} checks, ${fresh ? 'fresh randomness' : `seed ${seed}`}; a check fails at ` +
      `p < ${alpha.toPrecision(2)}\n(10^-6 over all of them), and finds the bias that it excludes with a chance of ` +
      `${power}.\n1 % at p = 0.1 alone would take ${plain.toLocaleString('en')} draws.\n\n${heading}`,
  )
  const began = performance.now()
  const outcomes = await runCampaign(chosen, {
    open: (check, times) => {
      tellProgress(
        `${check + 1} of ${chosen.length}: ${chosen[check]!.name}${times > 1 ? ', once more' : ''}`,
      )
      return fresh ? freshPools() : seededPools(seed * 1000 + checks.indexOf(chosen[check]!))
    },
    among: checks.length,
    reruns: fresh,
    onOutcome: outcome => {
      tellProgress('')
      say(linesOf(outcome))
    },
    ...(draws === undefined ? {} : { draws }),
  })
  const failed = outcomes.filter(({ passed }) => !passed).length
  const total = outcomes.reduce((sum, { run, rerun }) => sum + run.draws + (rerun?.draws ?? 0), 0)
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  say(`\n${total.toLocaleString('en')} draws in ${seconds} s`)
  say(`${outcomes.length - failed} passed, ${failed} failed`)
  if (json !== '') {
    const randomness = fresh ? 'fresh' : `seed ${seed}`
    const report = { randomness, checks: checks.length, alpha, power, results: outcomes.map(recordOf) }
    writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`)
  }
  return failed === 0
}

async function main(options: StatisticsOptions): Promise<number> {
  const { stream, bits, seed, fresh } = options
  if (!stream) return (await run(options)) ? 0 : 1
  await writeStream(await (fresh ? freshPools() : seededPools(seed)), bits, process.stdout)
  return 0
}

await runCommand(usage, parseOptions, main)
