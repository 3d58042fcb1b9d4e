import type { Finding } from './finding.ts'
import type { WorkerMessage } from './fuzz-worker.ts'
import { minimise } from './minimise.ts'
import { Probe } from './probe.ts'
import { WatchedWorker } from './watched-worker.ts'

export interface CampaignPlan {
  readonly module: string
  readonly corpus: readonly Uint8Array[]
  readonly seed: number
  /** Of all jobs together; infinity where the time is the limit. */
  readonly runs: number
  readonly milliseconds: number
  readonly jobs: number
  /** How long one input may take. */
  readonly limitMs: number
  /** Whether to look for inputs that come to new code. Without it, the same seed makes the same runs. */
  readonly coverage: boolean
  /** How long a finding is made smaller. */
  readonly minimiseMs: number
  /** Told of each finding as it comes, not yet made smaller. */
  readonly onFinding: (finding: Finding) => void
  /** Causes after which it ends: there is enough to do. */
  readonly mostFindings: number
}

export interface CampaignReport {
  readonly runs: number
  readonly seconds: number
  /** Each cause once, made smaller; those that one input alone does not bring about, as they were. */
  readonly findings: readonly (Finding & { readonly alone: boolean })[]
  /** Inputs that came to new code. */
  readonly kept: readonly Uint8Array[]
  /** Characters of kuji's sources that were run. */
  readonly reached: number
  readonly slowestMs: number
}

/** Fuzzes a target on some threads. */
export class Campaign {
  readonly #plan: CampaignPlan
  readonly #began = performance.now()
  readonly #findings = new Map<string, Finding>()
  readonly #kept: Uint8Array[] = []
  readonly #runsOf: number[] = []
  #ended: number | null = null
  #corpus = 0
  #reached = 0
  #slowestMs = 0

  constructor(plan: CampaignPlan) {
    this.#plan = plan
  }

  /** One line: how far it has come. */
  get progress(): string {
    const seconds = this.#seconds
    const rate = Math.round(this.#runs / Math.max(seconds, 0.001))
    const slowest = this.#slowestMs < 10 ? this.#slowestMs.toFixed(1) : this.#slowestMs.toFixed(0)
    return (
      `${this.#runs} runs in ${seconds.toFixed(0)} s, ${rate} a second, corpus ${this.#corpus}, ` +
      `${this.#reached} characters of source reached, slowest ${slowest} ms, ${this.#findings.size} findings`
    )
  }

  get #seconds(): number {
    return this.#ended ?? (performance.now() - this.#began) / 1000
  }

  get #runs(): number {
    return this.#runsOf.reduce((sum, runs) => sum + runs, 0)
  }

  async run(): Promise<CampaignReport> {
    const { jobs } = this.#plan
    await Promise.all(Array.from({ length: jobs }, (_, job) => this.#runJob(job)))
    const seconds = this.#seconds
    this.#ended = seconds
    const findings = await this.#minimised()
    return {
      runs: this.#runs,
      seconds,
      findings,
      kept: this.#kept,
      reached: this.#reached,
      slowestMs: this.#slowestMs,
    }
  }

  /** One thread, and another in its place where it hangs or dies. */
  async #runJob(job: number): Promise<void> {
    const { module, corpus, seed, runs, milliseconds, jobs, limitMs, coverage } = this.#plan
    this.#runsOf[job] = 0
    for (let lives = 0; this.#findings.size < this.#plan.mostFindings; lives++) {
      const before: number = this.#runsOf[job]!
      const [runsLeft, timeLeft] = [runs / jobs - before, milliseconds - this.#seconds * 1000]
      if (runsLeft <= 0 || timeLeft <= 0) return
      const task = { kind: 'fuzz', runs: runsLeft, milliseconds: timeLeft, coverage } as const
      const known = [...corpus, ...this.#kept]
      const start = { module, seed: seed * 1000 + job + lives * jobs, corpus: known, task, limitMs }
      const worker = new WatchedWorker(start, message => {
        this.#runsOf[job] = before + worker.shared.runs
        this.#hear(message)
        if (this.#findings.size >= this.#plan.mostFindings) void worker.stop().then(stopped)
      })
      let stopped: () => void = () => undefined
      const ended = await Promise.race([
        worker.ended,
        new Promise<null>(resolve => {
          stopped = () => resolve(null)
        }),
      ])
      this.#runsOf[job] = before + worker.shared.runs
      if (ended === null) return
      this.#add(ended)
    }
  }

  #add(finding: Finding): void {
    if (this.#findings.has(finding.key)) return
    this.#findings.set(finding.key, finding)
    this.#plan.onFinding(finding)
  }

  #hear(message: WorkerMessage): void {
    switch (message.type) {
      case 'finding':
        this.#add(message.finding)
        return
      case 'kept':
        this.#kept.push(message.input)
        return
      case 'progress':
        this.#corpus = Math.max(this.#corpus, message.corpus)
        this.#reached = Math.max(this.#reached, message.reached)
        this.#slowestMs = Math.max(this.#slowestMs, message.slowestMs)
    }
  }

  async #minimised(): Promise<(Finding & { alone: boolean })[]> {
    const { module, limitMs, minimiseMs } = this.#plan
    const probe = new Probe(module, limitMs)
    const findings: (Finding & { alone: boolean })[] = []
    for (const finding of this.#findings.values()) {
      const smaller = await minimise(finding, probe, minimiseMs)
      findings.push({ ...(smaller ?? finding), alone: smaller !== null })
    }
    await probe.close()
    return findings
  }
}

/** Which of the inputs are needed to come to all code that they come to together. */
export async function distil(
  module: string,
  inputs: readonly Uint8Array[],
  limitMs: number,
): Promise<readonly Uint8Array[]> {
  let needed: readonly Uint8Array[] = inputs
  const start = { module, seed: 1, corpus: inputs, task: { kind: 'distil' }, limitMs } as const
  const worker = new WatchedWorker(start, message => {
    if (message.type === 'done') needed = message.needed
  })
  await worker.ended
  return needed
}
