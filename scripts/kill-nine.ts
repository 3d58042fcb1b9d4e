/**
 * Kills a server with SIGKILL under load, again and again, and holds what it answered against what its log says.
 *
 *     npm run kill-nine -- [--kills 50] [--seed N] [--durability sync|os] [--keep]
 *
 * A real `kuji serve` on a directory of its own, with small log files, so that rotation, snapshots and archiving are
 * hit too. Clients draw (single and multi, from a weighted pool and from an urn) and restock as fast as they can, and
 * write down every answer. After each kill the server is started again (now and then it is killed once more while it
 * starts), and then:
 *
 * - the log, read by a decoder that shares no code with the engine, is whole: LSNs, chain of hashes, state hashes,
 *   draw numbers without a gap, no item drawn beyond its stock;
 * - every answered draw is in it under its number, with its pool and its item;
 * - it holds no more draws than were asked for;
 * - restocks that were answered are in, and no more than were asked for;
 * - the pools that the server shows are those of the log.
 *
 * The last line is `N passed, 0 failed`; the exit code is 0 then, otherwise 1, and the directory is kept.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Ledger } from './kill-nine/ledger.ts'
import { Load } from './kill-nine/load.ts'
import { Server } from './kill-nine/server.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    durability: { type: 'string', default: 'sync' },
    keep: { type: 'boolean', default: false },
  },
})
const kills = Number(values.kills)
if (!Number.isInteger(kills) || kills < 1) throw new Error('--kills: expected a whole number from 1')

/** Mulberry32: the times of the kills can be had again by their seed, though not what the machine does meanwhile. */
let state = Number(values.seed)
function random(from: number, to: number): number {
  state = (state + 0x6d2b79f5) | 0
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return from + ((mixed ^ (mixed >>> 14)) >>> 0) * 2 ** -32 * (to - from)
}

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

const directory = mkdtempSync(join(tmpdir(), 'kuji-kill-nine-'))
const file = join(directory, 'kuji.yaml')
writeFileSync(
  file,
  `data: ./data
durability: ${values.durability}
segmentBytes: 16384
http: { listen: 127.0.0.1:0 }
pools:
  - id: campaign
    items:
      - { id: grand, weight: 1, stock: 5 }
      - { id: small, weight: 9, stock: 500 }
      - { id: thanks, weight: 990, stock: unlimited }
  - id: box
    mode: urn
    items:
      - { id: A, stock: 10 }
      - { id: B, stock: 990 }
`,
)

const ledger = new Ledger(
  join(directory, 'data'),
  new Map([
    ['campaign', 505],
    ['box', 1000],
  ]),
)
let passed = 0
let failed = 0

/** Starts a server; every fourth time or so it is killed while it starts, and started again. */
async function start(): Promise<Server> {
  while (random(0, 4) < 1) {
    const doomed = Server.spawn(file)
    await sleep(random(20, 400))
    await doomed.kill()
  }
  return Server.spawn(file)
}

let server = Server.spawn(file)
let url = await server.listening
process.stdout.write(`seed ${values.seed}, durability ${values.durability}, ${kills} kills\n`)
for (let round = 1; round <= kills; round++) {
  const load = new Load(url, ledger)
  await sleep(random(50, 600))
  await server.kill()
  await load.ended
  try {
    server = await start()
    url = await server.listening
    const summary = await ledger.check(url)
    passed++
    process.stdout.write(`${String(round).padStart(4)}  ${summary}\n`)
  } catch (error) {
    failed++
    process.stdout.write(
      `${String(round).padStart(4)}  FAILED: ${(error as Error).message}\n${server.output}\n`,
    )
    break
  }
}
await server.kill()
if (failed === 0 && !values.keep) rmSync(directory, { recursive: true })
else process.stdout.write(`kept ${directory}\n`)
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
