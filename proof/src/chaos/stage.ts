import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chance } from '../chance.ts'
import type { Request } from '../history/index.ts'
import type { Address } from './client/door.ts'
import { HttpDoor } from './client/http-door.ts'
import { ClientProcess, clients } from './client-process.ts'
import { now } from './clock.ts'
import type { Device } from './device.ts'
import { firstPools, manifestOf } from './manifest.ts'
import { countAnswers, Recorder, recordLife } from './recorder.ts'
import { type Ended, ServerProcess } from './server-process.ts'

export interface StageOptions {
  readonly directory: string
  readonly durability: 'sync' | 'os'
  readonly device: Device | null
  readonly chance: Chance
}

/** Small, so that rotation, snapshots and archiving happen all the time. */
export const segmentBytes = 16_384

/** How long the operator waits for an answer: longer than any mishap lasts. */
const patienceMs = 120_000

/** How long clients may take to have the answers that are asked of them. */
const answersMostMs = 600_000

/** How long clients may take to learn what they do not know. */
const finishMostMs = 180_000

/** A data directory, the server on it and its clients: what episodes play on. */
export class Stage {
  readonly directory: string
  readonly durability: 'sync' | 'os'
  readonly device: Device | null
  readonly chance: Chance
  readonly configuration: string
  readonly #operator: Recorder
  readonly #clients = new Map<string, ClientProcess>()
  #lives = 0
  #server: ServerProcess | null = null
  #address: Address | null = null
  /** When the first server was started, until one has listened. */
  #firstStart = 0
  #hasPools = false
  #isCleared = false

  constructor({ directory, durability, device, chance }: StageOptions) {
    this.directory = directory
    this.durability = durability
    this.device = device
    this.chance = chance
    this.configuration = join(directory, 'kuji.yaml')
    this.#operator = new Recorder(directory, 'operator')
    mkdirSync(join(directory, 'data'), { recursive: true })
    const configuration = {
      data: './data/log',
      durability,
      segmentBytes,
      http: { listen: '127.0.0.1:0' },
      resp: { listen: '127.0.0.1:0' },
      pools: firstPools.map(manifestOf),
    }
    // JSON is YAML.
    writeFileSync(this.configuration, `${JSON.stringify(configuration, null, 2)}\n`)
  }

  get server(): ServerProcess {
    if (this.#server === null) throw new Error('there is no server')
    return this.#server
  }

  get address(): Address {
    if (this.#address === null) throw new Error('no server listens')
    return this.#address
  }

  /** Starts a server and does not wait for it. */
  spawn(): ServerProcess {
    if (this.#isCleared) throw new Error('interrupted')
    if (this.#firstStart === 0) this.#firstStart = now()
    this.#server = new ServerProcess(++this.#lives, this.configuration, join(this.directory, 'server.log'))
    return this.#server
  }

  /** Starts a server, sets the clients to work, and reads the pools beside them. */
  async start(): Promise<void> {
    this.#address = await this.spawn().listening
    if (!this.#hasPools) this.#recordFirstPools()
    for (const client of this.#clients.values()) client.work(this.#address)
    await this.readPools()
  }

  #recordFirstPools(): void {
    this.#hasPools = true
    for (const request of firstPools) this.#operator.note(1, request, { kind: 'changed' }, this.#firstStart)
  }

  /** Waits for the end of the server, however it comes about. */
  async ended(): Promise<Ended> {
    const { life, ended } = this.server
    const end = await ended
    this.#server = null
    this.#address = null
    for (const client of this.#clients.values()) client.rest()
    const how = end.code === 0 ? 'stopped' : end.code === null ? 'killed' : 'failed'
    recordLife(this.directory, { life, ended: end.at, end: how })
    return end
  }

  /** Throws where the server had ended before, which nobody asked of it. */
  async kill(): Promise<void> {
    const { server } = this
    server.kill('SIGKILL')
    const { signal } = await this.ended()
    if (signal !== 'SIGKILL') throw new Error(await server.lastWords())
  }

  /** What the server said last where it has ended, which nobody had asked of it; else ''. */
  async lastWords(): Promise<string> {
    return (await this.#server?.lastWords()) ?? ''
  }

  async startClients(): Promise<void> {
    await Promise.all(clients.map(({ name }) => this.#startClient(name)))
  }

  async #startClient(name: string): Promise<void> {
    const kind = clients.find(client => client.name === name)!
    const client = new ClientProcess({
      ...kind,
      directory: this.directory,
      seed: this.chance.below(2 ** 32),
    })
    await client.ready
    this.#clients.set(name, client)
    if (this.#address !== null) client.work(this.#address)
  }

  /** A client dies, and another one takes its place, with what the first one did not learn. */
  async replaceClient(name: string): Promise<void> {
    const client = this.#clients.get(name)!
    if (client.exitCode !== null)
      throw new Error(`client ${name} has ended by itself, with ${client.exitCode}`)
    await client.kill()
    await this.#startClient(name)
  }

  /** Waits until each client has had so many answers. Throws where they do not come. */
  async untilAnswered(answers: number): Promise<void> {
    const until = now() + answersMostMs
    for (const { name } of clients)
      while (countAnswers(this.directory, name) < answers) {
        if (this.server.hasEnded) throw new Error(await this.lastWords())
        const code = this.#clients.get(name)?.exitCode ?? null
        if (code !== null) throw new Error(`client ${name} has ended by itself, with ${code}`)
        if (now() > until) throw new Error(`client ${name} does not come to ${answers} answers`)
        await sleep(100)
      }
  }

  /** What was unknown is asked again, and the clients end. */
  async finishClients(): Promise<void> {
    for (const client of this.#clients.values()) client.finish()
    const ended = Promise.all([...this.#clients.values()].map(client => client.ended))
    const late = Symbol('late')
    if ((await Promise.race([ended, sleep(finishMostMs, late, { ref: false })])) === late)
      throw new Error(`a client is not done after ${finishMostMs} ms, with a server that serves`)
    for (const [name, { exitCode }] of this.#clients)
      if (exitCode !== 0) throw new Error(`client ${name} ended with ${exitCode}`)
    this.#clients.clear()
  }

  /** An operator's look at every pool, written down like any client's. */
  async readPools(): Promise<void> {
    const { life, http } = this.address
    const door = new HttpDoor(http)
    try {
      const response = await fetch(`${http}/v1/pools?limit=1000`)
      const { pools, next } = (await response.json()) as { pools: { id: string }[]; next?: string }
      if (next !== undefined) throw new Error(`there are more than ${pools.length} pools`)
      for (const { id } of pools) {
        const request: Request = { kind: 'read', pool: id }
        await this.#operator.record(life, request, () => door.send(request, patienceMs))
      }
    } finally {
      door.close()
    }
  }

  /** A draw that has to be made: the server serves. */
  async expectDraw(): Promise<void> {
    const { life, http } = this.address
    const door = new HttpDoor(http)
    const request: Request = { kind: 'draw', pool: 'campaign', count: 1 }
    const outcome = await this.#operator.record(life, request, () => door.send(request, patienceMs))
    door.close()
    if (outcome.kind !== 'drawn') throw new Error(`a draw was answered with ${JSON.stringify(outcome)}`)
  }

  /** Ends whatever runs still. */
  async clear(): Promise<void> {
    this.#isCleared = true
    this.device?.thaw()
    this.#server?.kill('SIGCONT')
    if (this.#server !== null) await this.kill().catch(() => {})
    await Promise.all([...this.#clients.values()].map(client => client.kill()))
  }
}
