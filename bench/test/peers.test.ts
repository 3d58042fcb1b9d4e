import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../src/peers/main.ts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'kuji-peers-test-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const runArguments = (args: readonly string[]): string[] => ['--conditions=source', main, ...args]

function peers(args: readonly string[], environment: NodeJS.ProcessEnv = process.env) {
  const options = { encoding: 'utf8', timeout: 600_000, env: environment } as const
  return spawnSync(process.execPath, runArguments(args), options)
}

interface Report {
  readonly versions: Record<string, string>
  readonly skipped: readonly string[]
  readonly bouts: readonly {
    readonly name: string
    readonly contest: string
    readonly kuji: number
    readonly beside: number
    readonly ratio: number
    readonly wanted: string
    readonly met: boolean | null
  }[]
}

for (const [pattern, contest] of [
  ['redis-sync/', 'redis-sync'],
  ['http/draw-', 'http'],
] as const) {
  test(`${contest}: both sides run in turns, say their figures and leave nothing behind`, () => {
    const json = join(directory, `${contest}.json`)
    const work = mkdtempSync(join(directory, 'work-'))
    const { status, stdout, stderr } = peers(['--smoke', '--only', pattern, '--json', json, '--dir', work])
    assert.equal(status, 0, stderr)
    assert.deepEqual(readdirSync(work), [])
    const { versions, skipped, bouts } = JSON.parse(readFileSync(json, 'utf8')) as Report
    assert.match(versions.kuji!, /^\d+\.\d+\.\d+$/)
    // On a machine without the programs the run says so; .ci/run has them, and refuses to skip.
    if (skipped.some(line => line.startsWith(contest)))
      return assert.match(stdout, /SKIPPED .*apt-get install/)
    assert.ok(bouts.length > 0)
    for (const { name, kuji, beside, ratio, wanted, met } of bouts.filter(one => one.contest === contest)) {
      assert.ok(kuji > 0 && beside > 0, name)
      assert.ok(Math.abs(ratio - kuji / beside) < 1e-9, name)
      assert.match(wanted, /^≥ [\d.]+ ×$/)
      assert.equal(met, null, 'an instant judges nothing')
      assert.ok(stdout.includes(name), `${name} is not in the table`)
    }
  })
}

test('a contest whose programs are missing is skipped, naming what installs them', () => {
  const args = ['--smoke', '--only', 'redis-none', '--dir', directory]
  const { status, stdout } = peers(args, { PATH: '' })
  assert.equal(status, 0)
  assert.match(
    stdout,
    /SKIPPED redis-none: redis-server.* not found; apt-get install redis-server redis-tools/,
  )
  assert.equal(peers([...args, '--strict'], { PATH: '' }).status, 1)
})

test('Ctrl-C ends every server and removes every file', async () => {
  const work = mkdtempSync(join(directory, 'interrupted-'))
  const child = spawn(
    process.execPath,
    runArguments(['--only', 'grpc/draw', '--seconds', '60', '--dir', work]),
  )
  const ended = new Promise(resolve => child.once('exit', resolve))
  /** What stands in the lock of the server that draws are made on; '' until it is there, and whole. */
  const lock = (): string => {
    const found = (readdirSync(work, { recursive: true }) as string[]).find(name =>
      /lock\.holder$/.test(name),
    )
    const text = found === undefined ? '' : readFileSync(join(work, found), 'utf8')
    return text.endsWith('\n') ? text : ''
  }
  while (lock() === '') {
    assert.equal(child.exitCode, null, 'it has ended before')
    await setTimeout(20)
  }
  const { pid } = JSON.parse(lock()) as { pid: number }
  child.kill('SIGINT')
  assert.equal(await ended, 130)
  assert.deepEqual(readdirSync(work), [])
  assert.equal(existsSync(`/proc/${pid}`), false, 'the server is still there')
})

test('wrong usage is told with code 2', () => {
  for (const args of [
    ['--unknown'],
    ['--rounds', '0'],
    ['--seconds', 'many'],
    ['--only', 'no such bout'],
    ['--dir', join(directory, 'absent')],
    ['positional'],
  ]) {
    const { status, stderr } = peers(args)
    assert.equal(status, 2, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, /npm run bench:peers/)
  }
})
