import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { descriptors } from './support/grpc-client.ts'
import { openDoor } from './support/grpc-door.ts'
import { temporaryDirectory } from './support/processes.ts'

const run = promisify(execFile)
const guide = readFileSync(new URL('../../../docs/grpc.md', import.meta.url), 'utf8')

test('docs/grpc.md lists every call, and no other', () => {
  const listed = [...guide.matchAll(/^\| `([A-Z]\w+)` +\| \w+ +\|/gm)].map(([, name]) => name)
  const file = descriptors.file.find(({ name }) => name === 'kuji/v1/kuji.proto')!
  assert.deepEqual(listed.sort(), file.service[0]!.method.map(({ name }) => name).sort())
})

test('the program of docs/grpc.md draws', async context => {
  const { port } = await openDoor(context)
  const dir = temporaryDirectory(context)
  const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))
  mkdirSync(join(dir, 'node_modules'))
  for (const name of ['kuji', '@grpc']) symlinkSync(join(modules, name), join(dir, 'node_modules', name))
  const [, program] = /^```js\n([\s\S]*?)^```/m.exec(guide)!
  writeFileSync(join(dir, 'draw.mjs'), program!.replace('7072', `${port}`))
  const { stdout, stderr } = await run(process.execPath, [join(dir, 'draw.mjs')])
  assert.equal(stderr, '')
  const items = stdout.replaceAll(/mud|diamond/g, 'item').split('\n')
  assert.deepEqual(items.sort(), [
    '',
    "1 [ 'item', 'item', 'item' ]",
    "first [ 'item' ]",
    'second POOL_NOT_FOUND',
  ])
})
