import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Campaign, type CampaignPlan, type CampaignReport } from '../src/fuzz/campaign.ts'
import { Corpus } from '../src/fuzz/corpus.ts'
import { places } from '../src/fuzz/targets/places.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** Beside the whole corpus; the slow targets have fewer. */
const runsOf: Record<string, number> = {
  resp: 3000,
  http: 1500,
  snapshot: 3000,
  log: 300,
  grpc: 1500,
  config: 800,
}

function fuzz(module: string, plan: Partial<CampaignPlan>): Promise<CampaignReport> {
  const none = { corpus: [], runs: Number.POSITIVE_INFINITY, milliseconds: Number.POSITIVE_INFINITY }
  const limits = { seed: 1, jobs: 1, limitMs: 60_000, minimiseMs: 10_000, mostFindings: 3 }
  const rest = { ...limits, coverage: false, onFinding: () => undefined }
  return new Campaign({ module, ...none, ...rest, ...plan }).run()
}

const planted = (name: string): string => new URL(`./support/planted/${name}.ts`, import.meta.url).href

for (const { name, module } of places) {
  test(`${name}: nothing is wrong with the kept corpus, nor with what comes of it`, async () => {
    const corpus = new Corpus(name).read()
    assert.ok(corpus.length > 0)
    const { runs, findings } = await fuzz(module, { corpus, runs: corpus.length + runsOf[name]! })
    assert.deepEqual(
      findings.map(({ message }) => message),
      [],
    )
    assert.ok(runs >= corpus.length + runsOf[name]!)
  })
}

test('a reader that throws, hangs, or allocates what is announced is found out, with a small input', async () => {
  const report = await fuzz(planted('careless-reader'), { runs: 60_000, limitMs: 3000 })
  const found = report.findings.map(({ message, input }) => ({
    message: message.split('\n')[0]!,
    input: Buffer.from(input).toString('latin1'),
  }))
  const inputOf = (message: RegExp): string => found.find(entry => message.test(entry.message))?.input ?? ''
  assert.match(inputOf(/^TypeError: Cannot read properties of undefined/), /^\d+:.{0,3}$/s)
  assert.match(inputOf(/^does not end within 3000 ms/), /^-\d+:.{0,3}$/s)
  assert.match(inputOf(/took \d+ MiB/), /^\d+:.{0,3}$/s)
  assert.ok(report.findings.every(({ alone }) => alone))
})

test('what lies behind other conditions is found by inputs that came nearer, and not without', async () => {
  const sought = await fuzz(planted('narrow-door'), { runs: 100_000, coverage: true })
  assert.deepEqual(
    sought.findings.map(({ input }) => Buffer.from(input).toString('latin1').slice(0, 5)),
    ['kuji!'],
  )
  assert.ok(sought.kept.length >= 4)
  const blind = await fuzz(planted('narrow-door'), { runs: 20_000 })
  assert.deepEqual(blind.findings, [])
})

function runFuzz(...args: string[]) {
  const command = ['--conditions=source', 'proof/src/fuzz/main.ts', ...args]
  return spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' })
}

test('the command tells how far it has come, runs one input again, and the same seed makes the same runs', t => {
  const [first, second] = [
    runFuzz('--target', 'resp', '--runs', '600'),
    runFuzz('--target', 'resp', '--runs', '600'),
  ]
  assert.equal(first.status, 0, first.stderr)
  assert.match(
    first.stdout,
    /resp: \d+ runs in \d+ s, \d+ a second, corpus \d+, [\s\S]*\nnothing was found\n$/,
  )
  const runsIn = (text: string): string | undefined => /resp: (\d+) runs/.exec(text)?.[1]
  assert.equal(runsIn(second.stdout), runsIn(first.stdout))
  const directory = mkdtempSync(join(tmpdir(), 'kuji-fuzz-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const input = join(directory, 'input')
  writeFileSync(input, '*1\r\n$4\r\nPING\r\n')
  const again = runFuzz('--target', 'resp', '--input', input)
  assert.deepEqual([again.status, again.stdout], [0, `resp: nothing is wrong with ${input}\n`])
})

test('wrong usage is told with the way out', () => {
  for (const args of [
    ['--target', 'x'],
    ['--minutes', '0'],
    ['--runs', '1', '--minutes', '1'],
    ['--input', 'x'],
  ]) {
    const { status, stderr } = runFuzz(...args)
    assert.equal(status, 2)
    assert.match(stderr, /npm run fuzz -- \[--target T\]/)
  }
})
