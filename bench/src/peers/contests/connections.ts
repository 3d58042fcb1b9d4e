import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { campaign } from '../campaign.ts'
import type { BoutPlan } from '../contest.ts'
import { atLeast, atMost, planContest } from '../contest.ts'
import type { Figure } from '../figure.ts'
import { measureDraws } from '../figure.ts'
import type { KujiServer } from '../kuji-server.ts'
import { startKuji } from '../kuji-server.ts'
import { loadRedis } from '../redis-load.ts'
import { SlowReaders } from '../slow-readers.ts'
import type { Stage } from '../stage.ts'
import { loadHttp } from '../wrk.ts'

interface Ring {
  readonly stage: Stage
  /** The one that others use while slow readers are there. */
  readonly kuji: KujiServer
}

type Protocol = 'http' | 'resp'

const holder = fileURLToPath(new URL('../hold-connections.ts', import.meta.url))
const connections = 10_000
const smokeConnections = 200
/** For what a server holds open besides. */
const spareFiles = 1000
/** A server has done with opening connections, and its garbage is old, after that long. */
const settleMs = 2000
const readers = 8
const smokeReaders = 1
const clients = 50
const pipeline = 16
const path = `/v1/pools/${campaign.pool}/draws`

/** Memory that is there: of a process, in 10^6 bytes. */
function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return (Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6
}

/** Starts a server, lets `work` strain it, and returns by how much it has grown. */
async function growth(stage: Stage, work: (kuji: KujiServer) => Promise<() => unknown>): Promise<Figure> {
  const openFiles = connections + spareFiles
  const kuji = await startKuji(stage, { durability: 'sync', doors: ['resp'], openFiles })
  const before = residentMegabytes(kuji.pid)
  const release = await work(kuji)
  const after = residentMegabytes(kuji.pid)
  await release()
  await kuji.stop()
  return { value: after - before }
}

function idle(protocol: Protocol): BoutPlan<Ring> {
  return {
    name: `connections/${protocol}-idle-${connections}`,
    peer: '',
    unit: 'MB',
    target: atMost(150),
    measureKuji: ({ stage }) =>
      growth(stage, async kuji => {
        const count = stage.smoke ? smokeConnections : connections
        const port = protocol === 'http' ? kuji.httpPort : kuji.respPort
        const args = ['--conditions=source', holder, protocol, String(port), String(count)]
        const held = await stage.background(process.execPath, args, 'held', connections + spareFiles)
        await setTimeout(stage.smoke ? 0 : settleMs)
        if (!held.running()) throw new Error('a connection was closed')
        return () => held.stop()
      }),
  }
}

function startSlowReaders({ stage, kuji }: Ring, protocol: Protocol): SlowReaders {
  const port = protocol === 'http' ? kuji.httpPort : kuji.respPort
  const http = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 0\r\n\r\n`
  const words = ['DRAW', campaign.pool].map(word => `$${word.length}\r\n${word}\r\n`)
  const resp = `*${words.length}\r\n${words.join('')}`
  const slow = new SlowReaders(port, protocol === 'http' ? http : resp, stage.smoke ? smokeReaders : readers)
  stage.onClose(() => slow.close())
  return slow
}

function throughput({ stage, kuji }: Ring, protocol: Protocol, seconds: number): Promise<Figure> {
  const command = ['DRAW', campaign.pool]
  const load =
    protocol === 'http'
      ? () => loadHttp(stage, { url: `${kuji.url}${path}`, clients, body: {} }, seconds)
      : () => loadRedis(stage, { port: kuji.respPort, clients, pipeline, command }, seconds)
  return measureDraws(kuji, load, kuji)
}

/** Others' draws a second while slow readers are there, beside without. */
function slowReader(protocol: Protocol): BoutPlan<Ring> {
  return {
    name: `connections/${protocol}-slow-readers`,
    peer: 'without them',
    unit: 'draws/s',
    target: atLeast(0.9),
    measureKuji: async (ring, seconds) => {
      const slow = startSlowReaders(ring, protocol)
      try {
        await slow.stalled(ring.kuji.drawn)
        return await throughput(ring, protocol, seconds)
      } finally {
        slow.close()
      }
    },
    measurePeer: (ring, seconds) => throughput(ring, protocol, seconds),
  }
}

function slowReaderMemory(protocol: Protocol): BoutPlan<Ring> {
  return {
    name: `connections/${protocol}-slow-readers-memory`,
    peer: '',
    unit: 'MB',
    target: atMost(150),
    measureKuji: ({ stage }) =>
      growth(stage, async kuji => {
        const slow = startSlowReaders({ stage, kuji }, protocol)
        await slow.stalled(kuji.drawn)
        return () => slow.close()
      }),
  }
}

/** How long another client waits at most for one answer, while slow readers ask for as much as is taken from them. */
function slowReaderWait(protocol: Protocol): BoutPlan<Ring> {
  return {
    name: `connections/${protocol}-slow-readers-wait`,
    peer: '',
    unit: 'ms',
    target: atMost(250),
    measureKuji: async ring => {
      const slow = startSlowReaders(ring, protocol)
      try {
        return { value: await slow.stalled(ring.kuji.drawn) }
      } finally {
        slow.close()
      }
    },
  }
}

const protocols = ['http', 'resp'] as const

export const idleAndSlow = planContest({
  name: 'connections',
  about: `memory of ${connections} idle connections, and ${readers} clients that ask and never read`,
  programs: ['wrk', 'redis-benchmark'],
  bouts: [
    ...protocols.map(idle),
    ...protocols.flatMap(protocol => [
      slowReader(protocol),
      slowReaderWait(protocol),
      slowReaderMemory(protocol),
    ]),
  ],
  start: async stage => ({ stage, kuji: await startKuji(stage, { durability: 'sync', doors: ['resp'] }) }),
})
