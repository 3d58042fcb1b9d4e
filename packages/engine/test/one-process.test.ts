import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { open } from '@kuji/engine'
import { nextLine, runChild } from './support/child.ts'
import { refusalOf } from './support/codes.ts'
import { batchesOf, segmentPath } from './support/sample-log.ts'
import { temporaryDirectory } from './support/temporary.ts'

const opener = (dir: string): string => `
  import { open } from '@kuji/engine'
  try {
    const kuji = await open({ dir: ${JSON.stringify(dir)}, durability: 'os', segmentBytes: 4096 })
    console.log('open')
    setInterval(() => {}, 1000)
  } catch (error) {
    console.log(error.code + ': ' + error.message)
  }
`

test('a directory that another process has open is LOCKED, naming that process, until it is killed', async t => {
  const dir = temporaryDirectory(t)
  const child = runChild(opener(dir))
  t.after(() => child.process.kill('SIGKILL'))
  assert.equal(await nextLine(child), 'open')
  const refusal = await refusalOf('LOCKED', open({ dir, durability: 'os', segmentBytes: 4096 }))
  assert.match(refusal.message, new RegExp(`process ${child.process.pid} on `))
  assert.match(String(refusal.fields.holder), new RegExp(`process ${child.process.pid} `))
  child.process.kill('SIGKILL')
  await child.ended
  const kuji = await open({ dir, durability: 'os', segmentBytes: 4096 })
  await kuji.close()
})

test('opening twice in one process is LOCKED, and does not let another process in', async t => {
  const dir = temporaryDirectory(t)
  const kuji = await open({ dir, durability: 'os', segmentBytes: 4096 })
  const refusal = await refusalOf('LOCKED', open({ dir, durability: 'os', segmentBytes: 4096 }))
  assert.match(refusal.message, new RegExp(`process ${process.pid} on `))
  // The kernel drops all of a process's fcntl locks on a file as soon as the process closes that file anywhere.
  const child = runChild(opener(dir))
  t.after(() => child.process.kill('SIGKILL'))
  assert.match(await nextLine(child), new RegExp(`^LOCKED: .*process ${process.pid} on `))
  await kuji.close()
})

test('each start writes with an epoch of its own', async t => {
  const dir = temporaryDirectory(t)
  for (let start = 1; start <= 3; start++) {
    const kuji = await open({ dir, durability: 'os', segmentBytes: 4096 })
    await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: start }] })
    await kuji.close()
  }
  const bytes = readFileSync(segmentPath(dir, 1))
  const epochs = batchesOf(dir, 1).map(({ offset }) => bytes.readUInt32LE(offset + 32))
  assert.deepEqual(epochs, [1, 1, 2, 2, 3, 3])
})

test('closing lets the next one in, at once and as often as wanted', async t => {
  const dir = temporaryDirectory(t)
  for (let round = 0; round < 5; round++)
    await (await open({ dir, durability: 'os', segmentBytes: 4096 })).close()
  const child = runChild(opener(dir))
  t.after(() => child.process.kill('SIGKILL'))
  assert.equal(await nextLine(child), 'open')
  // It may still make the next log file, in a directory that is about to be removed.
  child.process.kill('SIGKILL')
  await child.ended
})

test('a start that is refused lets go of the directory', async t => {
  const dir = temporaryDirectory(t)
  const { writeFileSync } = await import('node:fs')
  writeFileSync(`${dir}/segment-0000000001.log`, 'no log')
  await refusalOf('CORRUPT', open({ dir, durability: 'os', segmentBytes: 4096 }))
  await refusalOf('CORRUPT', open({ dir, durability: 'os', segmentBytes: 4096 }))
})
