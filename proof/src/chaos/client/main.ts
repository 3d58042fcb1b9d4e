/**
 * One client, a process of its own: asks a server as fast as it is answered, on several lanes at once, and writes down
 * everything. Its parent tells it where the server is, and when there is none.
 */

import { Chance } from '../../chance.ts'
import type { DrawRequest, Outcome, Request } from '../../history/index.ts'
import { sleep } from '../clock.ts'
import { Recorder, readAttemptsOf } from '../recorder.ts'
import { type Address, type Door, LostAnswer, type Protocol } from './door.ts'
import { HttpDoor } from './http-door.ts'
import { RespDoor } from './resp-door.ts'
import { Wishes } from './wishes.ts'

/** What the parent says. */
export type Order =
  | { readonly kind: 'work'; readonly address: Address }
  | { readonly kind: 'rest' }
  /** Ask again for what is not known, and end. */
  | { readonly kind: 'finish' }

export interface Setting {
  readonly directory: string
  readonly name: string
  readonly protocol: Protocol
  /** Requests at once. */
  readonly lanes: number
  /** Lanes that share one connection. */
  readonly shared: boolean
  readonly seed: number
}

const setting = JSON.parse(process.argv[2]!) as Setting
const recorder = new Recorder(setting.directory, setting.name)
const chance = new Chance(setting.seed, 'client')
const wishes = new Wishes(chance, setting.protocol, setting.name)

let address: Address | null = null
let finishing = false
/** Keyed draws of unknown outcome, to be asked again. An earlier process of this name may have left some. */
const inDoubt = findInDoubt()

function findInDoubt(): DrawRequest[] {
  const byKey = new Map<string, { request: DrawRequest; known: boolean }>()
  for (const { request, answer } of readAttemptsOf(setting.directory, setting.name)) {
    if (request.kind !== 'draw' || request.key === undefined) continue
    const name = JSON.stringify(request)
    const known = answer !== undefined && answer.outcome.kind !== 'unknown'
    byKey.set(name, { request, known: known || byKey.get(name)?.known === true })
  }
  return [...byKey.values()].filter(({ known }) => !known).map(({ request }) => request)
}

function openDoor({ http, resp }: Address): Door | Promise<Door> {
  if (setting.protocol === 'http') return new HttpDoor(http)
  return setting.protocol === 'ioredis' ? RespDoor.byIoredis(resp) : RespDoor.byNodeRedis(resp)
}

/** The door that all lanes share, of the life that it leads to. */
let shared: { readonly life: number; readonly opening: Promise<Door>; lost: boolean } | null = null

/** The shared door, or one of the lane's own. */
async function doorFor(present: Address): Promise<Door> {
  if (!setting.shared) return openDoor(present)
  if (shared?.life !== present.life || shared.lost)
    shared = { life: present.life, opening: (async () => openDoor(present))(), lost: false }
  const mine = shared
  try {
    const door = await mine.opening
    return {
      send: (request, patienceMs) => door.send(request, patienceMs),
      get isBroken() {
        return door.isBroken
      },
      close: () => {
        if (!mine.lost) door.close()
        mine.lost = true
      },
    }
  } catch (error) {
    mine.lost = true
    throw error
  }
}

async function ask(door: Door, life: number, request: Request, patienceMs: number): Promise<Outcome> {
  const outcome = await recorder.record(life, request, () => door.send(request, patienceMs))
  if (outcome.kind !== 'unknown') wishes.answered(request, outcome)
  else if (request.kind === 'draw' && request.key !== undefined) inDoubt.push(request)
  return outcome
}

/** Asks one server until the answers stop. */
async function workWith(present: Address, patienceMs: number): Promise<void> {
  const door = await doorFor(present)
  try {
    while (address?.life === present.life) {
      const again = inDoubt.pop()
      if (again === undefined && finishing) return
      const outcome = await ask(door, present.life, again ?? wishes.next(), patienceMs)
      if (outcome.kind === 'unknown') {
        // Others may still wait on a connection that they share.
        if (door.isBroken) door.close()
        return
      }
      // Whoever is refused for want of room or time waits, as a client would.
      if (outcome.kind === 'refused' && /^(?:OVERLOADED|READ_ONLY)$/.test(outcome.code)) await sleep(20)
    }
  } finally {
    if (!setting.shared) door.close()
  }
}

async function lane(patienceMs: number): Promise<void> {
  while (!finishing || inDoubt.length > 0) {
    if (address === null) {
      await sleep(5)
      continue
    }
    try {
      await workWith(address, patienceMs)
    } catch (error) {
      if (!(error instanceof LostAnswer)) throw error
    }
    // The next try waits a little, for the word that there is another server.
    if (!finishing) await sleep(chance.between(10, 50))
  }
}

process.on('message', (order: Order) => {
  if (order.kind === 'work') address = order.address
  else if (order.kind === 'rest') address = null
  else finishing = true
})
process.on('disconnect', () => process.exit(1))

/** How long a lane waits for an answer: some for hardly longer than one takes, some for longer than any mishap. */
function patienceOf(place: number): number {
  const [least, most] = [200, 4000]
  return Math.round(least * (most / least) ** (place / (setting.lanes - 1)))
}

const lanes = Array.from({ length: setting.lanes }, (_, place) => lane(patienceOf(place)))
process.send!('ready')
await Promise.all(lanes)
process.exit(0)
