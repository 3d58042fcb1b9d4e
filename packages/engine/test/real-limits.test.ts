import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import type { EngineEvent } from '@kuji/engine'
import { open } from '@kuji/engine'
import { runChild } from './support/child.ts'
import { codeOf } from './support/codes.ts'
import { eventually } from './support/eventually.ts'
import { temporaryDirectory } from './support/temporary.ts'

const endless = { id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] } as const

async function linesOf(child: ReturnType<typeof runChild>): Promise<string[]> {
  const lines: string[] = []
  for (let line = await child.lines.next(); !line.done; line = await child.lines.next())
    lines.push(line.value)
  return lines
}

test('a limit on the size of files: what needs a larger one is READ_ONLY, the rest goes on', async t => {
  const dir = temporaryDirectory(t)
  const child = runChild(
    `
    import { open } from '@kuji/engine'
    const kuji = await open({ dir: ${JSON.stringify(dir)}, segmentBytes: 4096, onEvent() {} })
    await kuji.putPool(${JSON.stringify(endless)})
    await kuji.draw('p')
    const refused = await kuji.drawMany('p', 100_000).catch(error => error)
    console.log(refused.code, /EFBIG/.test(refused.message))
    for (let k = 0; k < 50; k++) await kuji.drawMany('p', 1000)
    console.log(kuji.status().drawNumber)
    await kuji.close()
  `,
    // In blocks of 512 bytes.
    { shell: 'ulimit -f 64' },
  )
  assert.deepEqual(await linesOf(child), ['READ_ONLY true', '50001'], child.stderr())
  assert.equal(await child.ended, 0)
  const kuji = await open({ dir, segmentBytes: 4096 })
  assert.equal(kuji.status().drawNumber, 50_001)
  assert.equal((await kuji.drawMany('p', 100_000)).id, 50_002)
  await kuji.close()
})

test('a limit below the size of a log file: the start says EFBIG and leaves nothing behind', async t => {
  const dir = temporaryDirectory(t)
  const source = `
    import { open } from '@kuji/engine'
    await open({ dir: ${JSON.stringify(dir)}, segmentBytes: 1048576 }).catch(error => console.log(error.code))
  `
  assert.deepEqual(await linesOf(runChild(source, { shell: 'ulimit -f 64' })), ['EFBIG'])
  const events: string[] = []
  await (await open({ dir, segmentBytes: 4096, onEvent: event => events.push(event.type) })).close()
  assert.deepEqual(events, ['recovered'], 'no leftover')
})

/** A small file system of its own for one test, or null where mounting is not permitted. */
function smallDevice(t: TestContext, size: string): string | null {
  const directory = mkdtempSync(join(tmpdir(), 'kuji-'))
  t.after(() => {
    spawnSync('umount', ['-l', directory])
    rmSync(directory, { recursive: true, force: true })
  })
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', directory])
  return status === 0 ? directory : null
}

const unmountable = 'mounting a small file system is not permitted here'

test('a device that fills up: READ_ONLY, reads go on, and draws resume when there is room', async t => {
  const mountPoint = smallDevice(t, '512k')
  if (mountPoint === null) return t.skip(unmountable)
  const events: EngineEvent[] = []
  const options = {
    dir: join(mountPoint, 'data'),
    segmentBytes: 64 * 1024,
    onEvent: (event: EngineEvent) => events.push(event),
  }
  const kuji = await open(options)
  await kuji.putPool(endless)
  const ballast = join(mountPoint, 'ballast')
  try {
    writeFileSync(ballast, new Uint8Array(1024 * 1024))
  } catch {
    // What fits is there.
  }
  let refusal = 'done'
  while (refusal === 'done') refusal = await codeOf(kuji.drawMany('p', 10_000))
  assert.equal(refusal, 'READ_ONLY')
  const { drawn } = await kuji.pool('p')
  assert.equal(drawn, kuji.status().drawNumber)
  rmSync(ballast)
  await eventually(() => kuji.status().state === 'open')
  assert.equal((await kuji.drawMany('p', 10_000)).id, drawn + 1)
  await kuji.close()
  assert.ok(
    events.some(({ type }) => type === 'disk-full') && events.some(({ type }) => type === 'disk-room'),
  )
  const again = await open(options)
  assert.equal(again.status().drawNumber, drawn + 10_000)
  await again.close()
})

test('a device mounted read-only is told as it is', async t => {
  const mountPoint = smallDevice(t, '1m')
  if (mountPoint === null) return t.skip(unmountable)
  const dir = join(mountPoint, 'data')
  await (await open({ dir, segmentBytes: 4096 })).close()
  execFileSync('mount', ['-o', 'remount,ro', mountPoint])
  await assert.rejects(open({ dir }), { code: 'EROFS' })
  const copy = join(temporaryDirectory(t), 'copy')
  cpSync(dir, copy, { recursive: true })
  await (await open({ dir: copy, segmentBytes: 4096 })).close()
})

test('a directory that may not be written to is told as it is', async t => {
  const parent = temporaryDirectory(t)
  const dir = join(parent, 'data')
  mkdirSync(dir)
  chmodSync(parent, 0o755)
  const source = `
    import { open } from '@kuji/engine'
    if (process.getuid() === 0) process.setuid(65534)
    await open({ dir: ${JSON.stringify(dir)} }).catch(error => console.log(error.code, error.message))
  `
  if (process.getuid!() === 0) chownSync(dir, 65534, 65534)
  chmodSync(dir, 0o500)
  const [line] = await linesOf(runChild(source))
  assert.match(line!, new RegExp(`^EACCES .*${dir}`))
})
