import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { runCommand } from '../command/command.ts'
import { Campaign, distil } from './campaign.ts'
import { Corpus } from './corpus.ts'
import type { Finding } from './finding.ts'
import { type FuzzOptions, parseOptions, usage } from './options.ts'
import { Probe } from './probe.ts'
import type { TargetPlace } from './target.ts'

const progressMs = 5_000
/** Causes after which a target is left alone. */
const mostFindings = 10
/** How long a finding is made smaller. */
const minimiseMs = 30_000

const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** Fuzzes one target. Returns how many causes it found. */
async function fuzz({ name, module }: TargetPlace, options: FuzzOptions): Promise<number> {
  const { grow, ...plan } = options
  const corpus = new Corpus(name)
  const kept = corpus.read()
  const coverage = plan.runs === Number.POSITIVE_INFINITY
  print(`\n${name}: seed ${plan.seed}, ${kept.length} inputs in the corpus`)
  // Saved as it is, before anything else: it may take long to make it smaller.
  const onFinding = ({ input, message }: Finding): void =>
    print(`${name}: found, ${corpus.saveFound(input)}\n${message}`)
  const campaign = new Campaign({
    ...plan,
    module,
    corpus: kept,
    coverage,
    minimiseMs,
    onFinding,
    mostFindings,
  })
  let told = ''
  const tell = (): void => {
    // It stands still while findings are made smaller.
    if (campaign.progress !== told) print(`${name}: ${(told = campaign.progress)}`)
  }
  const timer = setInterval(tell, progressMs)
  const report = await campaign.run()
  clearInterval(timer)
  tell()
  for (const { input, message, alone } of report.findings) {
    const path = relative(process.cwd(), corpus.saveFound(input))
    print(`\n${message}\n${alone ? 'again' : 'not by this input alone, it came after others'}:`)
    print(`    npm run fuzz -- --target ${name} --input ${path}`)
  }
  if (grow) {
    const needed = await distil(module, [...kept, ...report.kept], plan.limitMs)
    corpus.replace(needed)
    const bytes = needed.reduce((sum, { length }) => sum + length, 0)
    print(`${name}: ${needed.length} inputs of ${bytes} bytes are kept, ${kept.length} were there before`)
  } else if (report.kept.length > 0) print(`${name}: --grow would keep ${report.kept.length} new inputs`)
  return report.findings.length
}

/** Runs one input. */
async function tryInput({ name, module }: TargetPlace, { input, limitMs }: FuzzOptions): Promise<number> {
  const probe = new Probe(module, limitMs)
  const finding = await probe.run(new Uint8Array(readFileSync(input)))
  await probe.close()
  print(finding === null ? `${name}: nothing is wrong with ${input}` : `${name}: ${finding.message}`)
  return finding === null ? 0 : 1
}

async function main(options: FuzzOptions): Promise<number> {
  const { targets, input } = options
  if (input !== '') return tryInput(targets[0]!, options)
  let found = 0
  for (const target of targets) found += await fuzz(target, options)
  print(`\n${found === 0 ? 'nothing was found' : `${found} things are wrong`}`)
  return found === 0 ? 0 : 1
}

await runCommand(usage, parseOptions, main)
