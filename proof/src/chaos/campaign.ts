import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Chance } from '../chance.ts'
import { now, sleep } from './clock.ts'
import { Device } from './device.ts'
import { type Episode, episodes } from './episodes/index.ts'
import { recordEpisode } from './recorder.ts'
import { Stage } from './stage.ts'
import { type Verdict, verify } from './verify.ts'

export interface CampaignOptions {
  readonly kills: number
  readonly durability: 'sync' | 'os'
  /** Whether the data is on a small file system of its own. */
  readonly onDevice: boolean
  readonly chance: Chance
  /** Words in the names of the episodes that are played. */
  readonly only: string
  /** What each client is to have before the end. */
  readonly answers: number
  /** Told of each step. */
  readonly say: (text: string) => void
}

export interface CampaignResult {
  readonly directory: string
  readonly kills: number
  readonly verdict: Verdict | null
  /** What went wrong beside findings. */
  readonly failure: string
}

/** The campaign under way, for whoever ends the program before its time. */
let present: { stage: Stage; device: Device | null } | null = null

export async function clearCampaign(): Promise<void> {
  const { stage, device } = present ?? {}
  present = null
  await stage?.clear()
  device?.release()
}

/** One data directory from its first start on: kills and other mishaps under load, then everything is compared. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { kills, durability, onDevice, only, answers, chance, say } = options
  const directory = mkdtempSync(join(tmpdir(), 'kuji-chaos-'))
  const device = onDevice ? Device.mount(join(directory, 'data')) : null
  if (onDevice && device === null)
    say('SKIPPED full, read-only, slow and broken device: mounting is not permitted')
  const place = device === null ? 'in the directory for temporary files' : `on ${device.kind} of its own`
  say(`${directory}: durability ${durability}, data ${place}`)
  const stage = new Stage({ directory, durability, device, chance })
  present = { stage, device }
  let done = 0
  try {
    await stage.startClients()
    await start()
    const deck = new Deck(
      chance,
      episodes.filter(({ name, canPlay }) => name.includes(only) && canPlay(stage)),
    )
    while (done < kills) {
      const episode = chance.happens(0.6) ? deck.next() : undefined
      if (episode !== undefined) {
        await sleep(chance.between(20, 150))
        const from = now()
        const told = await inContext(episode.name, episode.play(stage))
        recordEpisode(directory, { name: episode.name, from, to: now() })
        say(`${String(done).padStart(5)}  ${episode.name}${told === '' ? '' : `: ${told}`}`)
      }
      await sleep(chance.between(30, 400))
      await stage.kill()
      done++
      await start()
      say(`${String(done).padStart(5)}  killed; life ${stage.server.life} serves`)
    }
    await stage.untilAnswered(answers)
    await stage.finishClients()
    await stage.readPools()
    stage.server.kill('SIGTERM')
    const { code } = await stage.ended()
    if (code !== 0) throw new Error(`SIGTERM with nobody there: exit code ${code}`)
    const verdict = verify(directory)
    return { directory, kills: done, verdict, failure: '' }
  } catch (error) {
    return { directory, kills: done, verdict: null, failure: await tellFailure(stage, error as Error) }
  } finally {
    await stage.clear()
  }

  /** One start in four or so is killed while it recovers, perhaps again and again. */
  async function start(): Promise<void> {
    while (done < kills && chance.happens(0.25)) {
      stage.spawn()
      await sleep(chance.between(20, 900))
      await stage.kill()
      done++
      say(`${String(done).padStart(5)}  killed while it started`)
    }
    await stage.start()
  }
}

/** An error of a campaign, with what the server said last where it has ended: that is the reason most often. */
async function tellFailure(stage: Stage, { message, stack = '' }: Error): Promise<string> {
  const calls = stack.split('\n').filter(line => /^ +at /.test(line))
  return [message, await stage.lastWords(), ...calls].filter(line => line !== '').join('\n')
}

/** Keeps a directory for whoever looks into a failure, or removes it. */
export async function leaveCampaign(directory: string, keep: boolean): Promise<void> {
  // What is on a device of its own goes with it, so it is copied to where it would have been.
  const [data, copy] = [join(directory, 'data', 'log'), join(directory, 'copy')]
  const copied = keep && present?.device !== null && existsSync(data)
  if (copied) cpSync(data, copy, { recursive: true })
  await clearCampaign()
  if (copied) renameSync(copy, data)
  if (!keep) rmSync(directory, { recursive: true, force: true })
}

async function inContext<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error })
  }
}

/** Each one is played before any comes again. */
class Deck {
  readonly #chance: Chance
  readonly #episodes: readonly Episode[]
  #left: Episode[] = []

  constructor(chance: Chance, all: readonly Episode[]) {
    this.#chance = chance
    this.#episodes = all
  }

  next(): Episode | undefined {
    if (this.#left.length === 0) this.#left = [...this.#episodes]
    return this.#left.splice(this.#chance.below(this.#left.length), 1)[0]
  }
}
