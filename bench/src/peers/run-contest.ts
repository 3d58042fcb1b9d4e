import type { Bout, Contest, Sides } from './contest.ts'
import type { Figure } from './figure.ts'
import type { Stage } from './stage.ts'

/** The figures of a bout, round by round. Without a peer, that side is empty. */
export interface BoutResult extends Bout {
  readonly contest: string
  readonly kuji: readonly Figure[]
  readonly beside: readonly Figure[]
}

export interface ContestOrder {
  readonly rounds: number
  /** Of each side before the first round, whose figures are dropped: a Node server has to compile first. */
  readonly warmUpSeconds: number
  readonly seconds: number
  readonly isChosen: (bout: Bout) => boolean
  readonly onProgress: (text: string) => void
}

interface Outcome {
  readonly results: readonly BoutResult[]
  /** Bouts that failed, and why. */
  readonly broken: readonly string[]
}

/**
 * Runs the chosen bouts of a contest. The two sides of a bout follow each other at once, and who begins changes from
 * round to round: whatever else the machine does strikes both alike.
 */
export async function runContest(contest: Contest, stage: Stage, order: ContestOrder): Promise<Outcome> {
  const sides = await contest.start(stage)
  const running = contest.bouts
    .map((bout, k) => ({ bout, sides: sides[k]!, kuji: [] as Figure[], beside: [] as Figure[] }))
    .filter(({ bout }) => order.isChosen(bout))
  const broken: string[] = []
  const failed = new Set<Bout>()
  for (let round = 0; round < order.rounds; round++) {
    for (const { bout, sides: both, kuji, beside } of running) {
      if (failed.has(bout)) continue
      try {
        const cold = round === 0 && order.warmUpSeconds > 0 && bout.unit === 'draws/s'
        if (cold) await takeTurns(both, true, order.warmUpSeconds)
        const figures = await takeTurns(both, round % 2 === 1, order.seconds)
        kuji.push(figures.kuji)
        if (figures.peer !== null) beside.push(figures.peer)
        order.onProgress(`${bout.name}: round ${round + 1} of ${order.rounds}: ${describe(bout, figures)}`)
      } catch (error) {
        failed.add(bout)
        broken.push([`${bout.name}: ${(error as Error).message}`, ...stage.deaths].join('\n'))
      }
    }
  }
  const results = running
    .filter(({ kuji }) => kuji.length > 0)
    .map(({ bout, kuji, beside }) => ({ ...bout, contest: contest.name, kuji, beside }))
  return { results, broken }
}

interface Figures {
  readonly kuji: Figure
  readonly peer: Figure | null
}

async function takeTurns({ kuji, peer }: Sides, kujiFirst: boolean, seconds: number): Promise<Figures> {
  if (peer === null) return { kuji: await kuji(seconds), peer: null }
  if (kujiFirst) {
    const first = await kuji(seconds)
    return { kuji: first, peer: await peer(seconds) }
  }
  const first = await peer(seconds)
  return { kuji: await kuji(seconds), peer: first }
}

function describe(bout: Bout, { kuji, peer }: Figures): string {
  const round = (value: number): string => Math.round(value).toLocaleString('en')
  if (peer === null) return `${round(kuji.value)} ${bout.unit}`
  const ratio = (kuji.value / peer.value).toFixed(2)
  return `${round(kuji.value)} : ${round(peer.value)} ${bout.unit}, ${ratio} ×`
}
