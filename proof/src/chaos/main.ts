import { Chance } from '../chance.ts'
import { runCommand, UsageError } from '../command/command.ts'
import { type CampaignResult, clearCampaign, leaveCampaign, runCampaign } from './campaign.ts'
import { type ChaosOptions, parseOptions, usage } from './options.ts'
import { hasHistory } from './recorder.ts'
import { type Verdict, verify } from './verify.ts'

/** Kills on one directory. Then it is compared, and another one begun: so a run takes no more memory for its length. */
const killsOfCampaign = 25
/** Of each rule. */
const shownFindings = 3

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** True where nothing was found. */
function report({ operations, answered, unknown, late, draws, findings }: Verdict): boolean {
  const outcomes = `${answered} answered, ${unknown} of unknown outcome (${late} not waited for)`
  say(`       ${operations} attempts, ${outcomes}; ${draws} draws in the log`)
  for (const [rule, found] of Map.groupBy(findings, finding => finding.rule)) {
    say(`       ${found.length} x ${rule}`)
    for (const { message, operations: involved } of found.slice(0, shownFindings)) {
      say(`         ${message}`)
      for (const operation of involved.slice(0, 4)) say(`           ${JSON.stringify(operation, shorten)}`)
    }
  }
  return findings.length === 0
}

function shorten(_: string, value: unknown): unknown {
  return Array.isArray(value) && value.length > 8
    ? [...value.slice(0, 8), `and ${value.length - 8} more`]
    : value
}

function tell({ directory, failure, verdict }: CampaignResult): boolean {
  if (failure !== '') say(`FAILED ${failure}`)
  const passed = verdict !== null && report(verdict)
  if (!passed) {
    say(`kept ${directory}: the histories, the log, and server.log. Check it again:`)
    say(`  npm run chaos -- --check ${directory}`)
  }
  return passed
}

async function run({ kills, seed, durability, only, answers, keep }: ChaosOptions): Promise<boolean> {
  const chance = new Chance(seed, 'campaign')
  let [passed, failed, left] = [0, 0, kills]
  say(`seed ${seed}, ${kills} kills`)
  for (let campaign = 0; left > 0 && failed === 0; campaign++) {
    const isEven = campaign % 2 === 0
    const result = await runCampaign({
      kills: Math.min(left, killsOfCampaign),
      durability: durability ?? (isEven ? 'sync' : 'os'),
      onDevice: isEven,
      ...{ only, answers, chance, say },
    })
    const isRight = tell(result)
    await leaveCampaign(result.directory, keep || !isRight)
    if (isRight) passed += result.kills
    else failed++
    left -= result.kills
  }
  say(`${passed} passed, ${failed} failed`)
  return failed === 0
}

async function main(options: ChaosOptions): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      say('interrupted')
      void clearCampaign().finally(() => process.exit(1))
    })
  if (options.check === '') return (await run(options)) ? 0 : 1
  if (!hasHistory(options.check))
    throw new UsageError(`--check: no campaign has left anything in ${options.check}`)
  return report(verify(options.check)) ? 0 : 1
}

await runCommand(usage, parseOptions, main)
