import assert from 'node:assert/strict'
import { copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import type { RepairReport } from '@kuji/engine'
import { inspectLog, open, repairLog } from '@kuji/engine'
import { copyOf } from '../support/directory.ts'
import type { LoggedDraw } from '../support/log-reader.ts'
import { readLogOnPaper } from '../support/log-reader.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import type { Campaign } from './campaign.ts'
import {
  assertOpensAt,
  batchesOf,
  change,
  countsIn,
  countsOf,
  flip,
  liveSegments,
  runCampaign,
  segmentFile,
} from './campaign.ts'

const root = temporaryDirectory({ after: clean => process.once('exit', clean) })
let whole: Campaign
let truth: LoggedDraw[]
let lastLsn: number
let current: number

before(async () => {
  whole = await runCampaign(join(root, 'whole'))
  const paper = readLogOnPaper(whole.directory)
  truth = paper.draws
  lastLsn = paper.lsns.at(-1)!
  current = liveSegments(whole.directory).findLast(number => batchesOf(whole.directory, number).length > 0)!
})

/** Numbers that are always the same. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** One to three accidents among the files of a log. */
function mishap(directory: string, random: (below: number) => number): string {
  const told: string[] = []
  for (let count = 1 + random(3); count > 0; count--) {
    const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    const files = names.filter(name => /\.(log|snap|zst)$/.test(name)).sort()
    const file = files[random(files.length)]!
    const size = readFileSync(join(directory, file)).length
    const at = random(size)
    const kind = ['flip', 'flip', 'flip', 'zero', 'truncate', 'remove', 'copy'][random(7)]!
    told.push(`${kind} ${file} ${at}`)
    if (kind === 'flip') flip(directory, file, at)
    else if (kind === 'zero') {
      // Zeros over the end of the log look like its end: nobody can tell.
      if (file === segmentFile(current)) continue
      change(directory, file, bytes => void bytes.fill(0, at, Math.min(at + 512, size)))
    } else if (kind === 'truncate') change(directory, file, bytes => bytes.subarray(0, at))
    else if (kind === 'remove') rmSync(join(directory, file))
    else copyFileSync(join(directory, file), join(directory, files[random(files.length)]!))
  }
  return told.join(', ')
}

test('whatever happens to the files, inspection and start agree, and a repair loses what it says', async t => {
  const rounds = Number(process.env.KUJI_MISHAPS ?? 60)
  const seen = { whole: 0, repaired: 0, impossible: 0 }
  for (let seed = 1; seed <= rounds; seed++) {
    const directory = copyOf(whole.directory, join(root, 'mishap'))
    const told = `seed ${seed}: ${mishap(directory, numbersFrom(seed))}`
    const before = await inspectLog(directory)
    const opened = copyOf(directory, join(root, 'mishap-opened'))
    const kuji = await open({ dir: opened, durability: 'os', onEvent: () => undefined }).catch(
      (error: { code: string; message: string }) => error,
    )
    const refused = before.fault !== null && before.fault.kind !== 'torn'
    if ('status' in kuji) {
      assert.ok(!refused, `${told}: ${before.fault?.message}`)
      assert.equal(kuji.status().lsn, before.lsn, told)
      await kuji.close()
    } else assert.ok(refused, `${told}: ${kuji.message}`)
    const report = await repairLog(directory, { dryRun: false })
    assert.equal(report.needed, refused, told)
    if (report.impossible !== '') seen.impossible++
    else {
      seen[refused ? 'repaired' : 'whole']++
      assertTrueLosses(report, told)
      await assertOpensAt(whole, directory, report.lsn, report.drawNumber).catch((error: Error) => {
        throw new Error(told, { cause: error })
      })
    }
    rmSync(directory, { recursive: true })
    rmSync(opened, { recursive: true })
  }
  t.diagnostic(JSON.stringify(seen))
})

/** Nothing is told as lost that was not there, and all that was there where it says that it is complete. */
function assertTrueLosses({ lost, lsn, drawNumber, needed }: RepairReport, told: string): void {
  if (lost.complete && needed) {
    assert.equal(lost.lastLsn ?? lsn, lastLsn, told)
    assert.equal(lost.lastDraw ?? drawNumber, truth.length, told)
    assert.equal(lost.draws, truth.length - drawNumber, told)
  }
  assert.ok((lost.lastLsn ?? lsn) <= lastLsn && drawNumber + lost.draws <= truth.length, told)
  assert.ok(lost.readableDraws <= lost.draws, told)
  const counts = countsOf(truth.slice(drawNumber, drawNumber + lost.draws))
  let readable = 0
  for (const { pool, items, draws } of lost.pools) {
    readable += draws
    for (const { item, draws: times } of items) assert.ok(counts[`${pool} ${item}`]! >= times, told)
  }
  assert.equal(readable, lost.readableDraws, told)
  if (lost.readableDraws === lost.draws) {
    assert.deepEqual(countsIn(lost), counts, told)
  }
}
