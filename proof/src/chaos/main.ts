import { type CampaignResult, clearCampaign, leaveCampaign, runCampaign } from './campaign.ts'
import { Chance } from './chance.ts'
import { type ChaosOptions, parseOptions, usage } from './options.ts'
import { type Verdict, verify } from './verify.ts'

/** Kills on one directory. Then it is compared, and another one begun: so a run takes no more memory for its length. */
const killsOfCampaign = 25
const shownFindings = 20

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void clearCampaign().finally(() => process.exit(1)))

/** True where nothing was found. */
function report({ operations, answered, unknown, draws, findings }: Verdict): boolean {
  say(
    `       ${operations} attempts, ${answered} answered, ${unknown} of unknown outcome; ${draws} draws in the log`,
  )
  for (const { rule, message, operations: involved } of findings.slice(0, shownFindings)) {
    say(`       ${rule}: ${message}`)
    for (const operation of involved.slice(0, 4)) say(`         ${JSON.stringify(operation)}`)
  }
  if (findings.length > shownFindings) say(`       and ${findings.length - shownFindings} more findings`)
  return findings.length === 0
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

async function run({ kills, seed, durability, keep }: ChaosOptions): Promise<boolean> {
  const chance = new Chance(seed)
  let [passed, failed, left] = [0, 0, kills]
  say(`seed ${seed}, ${kills} kills`)
  for (let campaign = 0; left > 0 && failed === 0; campaign++) {
    const isEven = campaign % 2 === 0
    const result = await runCampaign({
      kills: Math.min(left, killsOfCampaign),
      durability: durability ?? (isEven ? 'sync' : 'os'),
      onDevice: isEven,
      ...{ chance, say },
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

try {
  const options = parseOptions(process.argv.slice(2))
  const isRight = options.check === '' ? await run(options) : report(verify(options.check))
  process.exitCode = isRight ? 0 : 1
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${usage}\n`)
  process.exitCode = 2
}
