import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../../packages/engine/test/support/temporary.ts'
import { type Run, runCampaign } from '../src/statistics/campaign.ts'
import type { Check } from '../src/statistics/check.ts'
import { checks as knownChecks } from '../src/statistics/checks/index.ts'
import { parseOptions } from '../src/statistics/options.ts'
import type { Pools } from '../src/statistics/pools.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const command = ['--conditions=source', 'proof/src/statistics/main.ts']

function runStatistics(...args: string[]) {
  return spawnSync(process.execPath, [...command, ...args], { cwd: root, encoding: 'utf8' })
}

/** Starts the stream, and a program that it goes to. */
function pipeTo(program: string, args: readonly string[], ...options: string[]) {
  const stream = spawn(process.execPath, [...command, '--stream', '--seed', '1', ...options], { cwd: root })
  const reader = spawn(program, args)
  stream.stdout.pipe(reader.stdin)
  // Whoever reads closes the pipe when it has enough.
  for (const event of ['error', 'close']) reader.stdin.on(event, () => stream.stdout.destroy())
  return { stream, reader }
}

suite('npm run statistics', () => {
  test('prints a table, writes it for programs too, and comes to the same with the same seed', context => {
    const file = join(temporaryDirectory(context), 'results.json')
    const [first, second] = ['', ''].map(() =>
      runStatistics('--only', 'random bits', '--draws', '5000', '--json', file),
    )
    assert.equal(first!.status, 0, first!.stderr)
    const withoutTime = (text: string) => text.replace(/draws in .*/, '')
    assert.equal(withoutTime(first!.stdout), withoutTime(second!.stdout))
    assert.match(first!.stdout, /^six items, 16 random bits +5,000 +χ²\(5\) = .* passed, \d+ % of the item/m)
    assert.match(first!.stdout, /^3 passed, 0 failed$/m)
    const { randomness, checks, results } = JSON.parse(readFileSync(file, 'utf8'))
    assert.deepEqual([randomness, checks, results.length], ['seed 1', knownChecks.length, 3])
    assert.deepEqual(Object.keys(results[0]), ['name', 'counts', 'method', 'biasOf', 'passed', 'runs'])
    assert.equal(results[0].runs[0].draws, 5000)
  })

  test('draws anew with --fresh', context => {
    const directory = temporaryDirectory(context)
    const [first, second] = ['first', 'second'].map(name => {
      const file = join(directory, name)
      const { stdout } = runStatistics(
        '--fresh',
        '--only',
        'random bits',
        '--draws',
        '100000',
        '--json',
        file,
      )
      // Whether all have passed is left to chance, be it one in a million, and is not looked at.
      assert.match(stdout, /^\d passed, \d failed$/m)
      const { results } = JSON.parse(readFileSync(file, 'utf8')) as { results: { runs: { p: number }[] }[] }
      return results.map(({ runs }) => runs[0]!.p)
    })
    assert.equal(first!.length, 3)
    // Each alone may come out the same once in some ten thousand times.
    assert.notDeepEqual(first, second)
  })

  test('refuses what it does not know, with exit code 2', () => {
    const { status, stderr } = runStatistics('--only', 'nothing')
    assert.equal(status, 2)
    assert.match(stderr, /no check is called so:\ntwo equal items\n/)
    for (const args of [['--draws', '0'], ['--bits', '9'], ['--fresh', '--seed', '2'], ['more']])
      assert.throws(() => parseOptions(args))
    assert.equal(parseOptions(['--help']), null)
  })
})

suite('what is doubtful', () => {
  /** A check whose every run has so many of its coin's two sides, of two thousand trials and of twenty thousand. */
  function scripted(...heads: number[]): Check {
    return {
      ...{ name: 'coin', counts: 'sides', of: 'heads', bias: 0.1, drawsPerTrial: 1 },
      design: { kind: 'cells', statistic: 'Pearson', strata: 1, chances: [0.5, 0.5], target: [0] },
      observe: async (_, trials) => {
        const count = heads.shift()!
        return Float64Array.of(count, trials - count)
      },
    }
  }

  async function runsOf(check: Check, reruns: boolean): Promise<[boolean, (Run | undefined)[]]> {
    const open = async () => ({ close: async () => undefined }) as Pools
    const [outcome] = await runCampaign([check], { open, among: 1, draws: 2000, reruns })
    return [outcome!.passed, [outcome!.run, outcome!.rerun]]
  }

  test('runs once more with ten times the data, whose outcome stands', async () => {
    // 1,096 of 2,000 are 4.29 standard deviations, p = 1.8e-5; 10,350 of 20,000 are 4.95.
    const [passed, [, rerun]] = await runsOf(scripted(1096, 10_010), true)
    assert.ok(passed && rerun!.trials === 20_000)
    const [stands, [, again]] = await runsOf(scripted(1096, 10_345, 10_000), true)
    // Doubtful still, but it is not asked a third time, and not found at fault either.
    assert.ok(stands && again!.corrected < 1e-4)
    const [found] = await runsOf(scripted(1096, 10_400, 10_000), true)
    assert.equal(found, false)
  })

  test('is not asked again where it is beyond doubt, or where the seed is fixed', async () => {
    const [passed, [, rerun]] = await runsOf(scripted(1150, 10_000), true)
    assert.deepEqual([passed, rerun], [false, undefined])
    const [, [, none]] = await runsOf(scripted(1096, 10_400), false)
    assert.equal(none, undefined)
  })

  test('a fit too good to be true is no better than a bad one', async () => {
    const even: Check = {
      ...scripted(0),
      design: {
        ...{ kind: 'cells', statistic: 'Pearson', strata: 1, target: [0] },
        chances: new Array(40).fill(1 / 40),
      },
      observe: async (_, trials) => new Float64Array(40).fill(trials / 40),
    }
    assert.deepEqual((await runsOf(even, false))[0], false)
  })
})

suite('npm run statistics -- --stream', () => {
  test('writes a byte for each of 256 items, two for each of 65,536, until nobody reads', {
    timeout: 600_000,
  }, async () => {
    for (const bits of ['8', '16']) {
      const { stream, reader } = pipeTo('head', ['-c', '3000000'], '--bits', bits)
      const parts: Uint8Array[] = []
      reader.stdout.on('data', part => parts.push(part))
      const [[status]] = await Promise.all([
        once(stream, 'exit'),
        once(reader, 'exit'),
        once(reader, 'close'),
      ])
      assert.equal(status, 0)
      const bytes = new Uint8Array(Buffer.concat(parts))
      assert.equal(bytes.length, 3_000_000)
      const counts = new Float64Array(256)
      for (const byte of bytes) counts[byte]!++
      // 11,719 of each are expected, with a standard deviation of 108.
      assert.ok(counts.every(count => Math.abs(count - 11_719) < 650))
    }
  })

  test('passes dieharder', { timeout: 600_000 }, async context => {
    if (spawnSync('dieharder', ['-l']).error !== undefined) return context.skip('dieharder is not installed')
    // Number 100 of its tests, the quickest: counts of bits.
    const { stream, reader } = pipeTo('dieharder', ['-g', '200', '-d', '100'])
    let told = ''
    reader.stdout.on('data', part => {
      told += part
    })
    const [[status]] = await Promise.all([once(stream, 'exit'), once(reader, 'close')])
    assert.equal(status, 0)
    assert.match(told, /sts_monobit.*PASSED/)
  })
})
