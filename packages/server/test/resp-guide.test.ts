import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createCommands } from '../src/resp/commands.ts'
import { openDoor } from './support/resp-door.ts'

const run = promisify(execFile)
const guide = readFileSync(new URL('../../../docs/resp.md', import.meta.url), 'utf8')
const missing = spawnSync('redis-cli', ['--version']).status !== 0

test('docs/resp.md lists every command with its usage, and no other', () => {
  const table = /^## Commands\n([\s\S]*?)^## /m.exec(guide)![1]!
  const listed = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, usage]) => usage!.replaceAll('\\|', '|'))
  const there = [...createCommands().values()].filter(({ summary }) => summary !== 'Not in this version.')
  assert.deepEqual(listed.sort(), there.map(({ name, usage }) => `${name} ${usage}`.trim()).sort())
})

test('the commands of docs/resp.md work in their order and are answered as it shows', {
  skip: missing ? 'redis-cli is not here: apt-get install redis-tools' : false,
}, async context => {
  const { port } = await openDoor(context)
  const blocks = [...guide.matchAll(/^```sh\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```)?/gm)]
  assert.equal(blocks.length, 3)
  for (const [, script, shown] of blocks) {
    const { stdout, stderr } = await run('sh', ['-ec', script!.replaceAll('7071', `${port}`)])
    assert.equal(stderr, '')
    assert.ok(!/^[A-Z_]+ /m.test(stdout), stdout)
    // Items are drawn and times pass: the lines are the same but for these.
    const shape = (text: string) =>
      text.replaceAll(/^(?:mud|diamond)$/gm, 'item').replaceAll(/^\d{13}$/gm, 'time')
    if (shown !== undefined) assert.equal(shape(stdout), shape(shown))
  }
})
