import { runCommand, UsageError } from '../command/command.ts'
import { runOnThreads } from '../command/threads.ts'
import { Trace } from '../sim/world/trace.ts'
import { type Counts, type Crash, findCrash, noCounts, replay, statesOfPoint } from './explore.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { record } from './recording.ts'
import type { Task, TaskReport } from './worker.ts'

const progressMs = 5_000
const failuresShown = 5

const print = (text: string): void => void process.stdout.write(`${text}\n`)

function add(sum: Counts, counts: Counts): void {
  for (const [what, count] of Object.entries(counts)) sum[what as keyof Counts] += count
}

/** What the scripts came to so far. */
class Tally {
  readonly #began = performance.now()
  readonly first = noCounts()
  readonly second = noCounts()
  readonly failures: (TaskReport['failures'][number] & { readonly task: Task })[] = []
  tasks = 0

  /** Tells of failures at once: a run takes minutes. */
  add({ task, first, second, failures }: TaskReport): void {
    this.tasks++
    add(this.first, first)
    add(this.second, second)
    for (const failure of failures) {
      if (this.failures.length < failuresShown) tellFailure({ ...failure, task })
      this.failures.push({ ...failure, task })
    }
  }

  get seconds(): string {
    return ((performance.now() - this.#began) / 1000).toFixed(0)
  }

  tell(tasks: number): void {
    const { tasks: done, first, second, failures, seconds } = this
    const states = `${first.states} disk states, ${second.states} of a second crash`
    print(`${done} of ${tasks} scripts in ${seconds} s: ${states}, ${failures.length} failed`)
  }
}

function describe(level: string, { points, possible, states, starts, sampled }: Counts): string {
  const all = states === possible ? 'all of them' : `of ${possible}; ${sampled} moments had too many`
  return `${level}: ${points} moments, ${states} disk states (${all}), ${starts} of them different`
}

async function explore({ scripts, seeds, sectors, second, jobs }: Options): Promise<Tally> {
  const places = seeds.flatMap(seed => scripts.map(script => ({ seed, script })))
  const share = Math.ceil(second / (places.length * sectors.length))
  const tasks = places.flatMap(place =>
    sectors.map(sectorBytes => ({ ...place, sectorBytes, second: share })),
  )
  const tally = new Tally()
  const timer = setInterval(() => tally.tell(tasks.length), progressMs)
  const left = tasks.values()
  await runOnThreads<Task, TaskReport>({
    module: new URL('./worker.ts', import.meta.url),
    count: Math.min(jobs, tasks.length),
    next: () => left.next().value,
    onReport: report => tally.add(report),
  })
  clearInterval(timer)
  tally.tell(tasks.length)
  return tally
}

const tellCrash = ({ point, kept }: Crash): string => `${point}:0x${kept.toString(16)}`

function tellFailure({ task, crash, second, why, where }: Tally['failures'][number]): void {
  const { script, seed, sectorBytes } = task
  const again = second === null ? '' : ` --second-crash ${tellCrash(second)}`
  const place = `--script ${script} --seed ${seed} --sectors ${sectorBytes} --crash ${tellCrash(crash)}`
  print(`\n${script}, seed ${seed}, sectors of ${sectorBytes}, a crash ${where}: ${why}`)
  print(`  again: npm run crash-points -- ${place}${again}`)
}

async function runOne(options: Options, crash: Crash): Promise<number> {
  const [script, seed, sectorBytes] = [options.scripts[0]!, options.seeds[0]!, options.sectors[0]!]
  const recording = await record(script, { seed, sectorBytes, keepTrace: true })
  const { trace, points } = recording
  const { moment } = findCrash('--crash', crash, points)
  print(trace.lines!.slice(0, moment.traced).join('\n'))
  const after = new Trace(true)
  let why = ''
  try {
    await replay(recording, crash, options.secondCrash, after)
  } catch (error) {
    if (error instanceof UsageError) throw error
    why = error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  print(after.lines!.join('\n'))
  if (why !== '') print(why)
  print(why === '' ? '1 passed, 0 failed' : '0 passed, 1 failed')
  return why === '' ? 0 : 1
}

async function main(options: Options): Promise<number> {
  if (options.crash !== null) return runOne(options, options.crash)
  print(`${options.scripts.length} scripts, seeds ${options.seeds[0]} to ${options.seeds.at(-1)}`)
  const { first, second, failures } = await explore(options)
  print(describe('a crash', first))
  if (first.sampled > 0) print(`  at a moment with more than ${statesOfPoint}, so many are looked at`)
  if (options.second > 0) print(describe('a second crash during recovery', second))
  print(`${first.states + second.states - failures.length} passed, ${failures.length} failed`)
  return failures.length === 0 ? 0 : 1
}

await runCommand(usage, parseOptions, main)
