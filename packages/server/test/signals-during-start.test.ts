import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { delayRecovery } from './support/delayed-recovery.ts'
import { kuji, serve, start, temporaryDirectory, writeConfiguration } from './support/processes.ts'
import { draw } from './support/requests.ts'
import { limitsInProcess } from './support/smaller-limits.ts'

test('a data directory where none can be made is refused, with its path', async context => {
  const dir = temporaryDirectory(context)
  for (const data of ['/proc/kuji-data', '/proc/kuji/deeper/data']) {
    const file = writeConfiguration(dir, `data: ${data}\nhttp: { listen: 127.0.0.1:0 }\n`)
    const { code, stderr } = await kuji(['serve', file])
    assert.equal(code, 1)
    assert.match(stderr, /kuji: [A-Z]+: .*\/proc\/kuji/)
  }
})

const pools = 'pools: [{ id: open, items: [{ id: a, weight: 1, stock: unlimited }] }]\n'

test('a signal during a recovery that does not end, ends the process', async context => {
  const dir = temporaryDirectory(context)
  const gate = join(dir, 'gate')
  const file = writeConfiguration(dir, `segmentBytes: 65536\nhttp: { listen: 127.0.0.1:0 }\n${pools}`)
  const env = { NODE_OPTIONS: '' }
  for (const { NODE_OPTIONS } of [delayRecovery(gate), limitsInProcess({ drainMs: 200 })])
    env.NODE_OPTIONS += `${NODE_OPTIONS} `
  const { child, text, ended } = start(['serve', file], { env })
  context.after(() => child.kill('SIGKILL'))
  while (!text.stderr.includes('"door":"http"')) await once(child.stderr, 'data')
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  assert.equal(code, 0, stderr)
  assert.match(stderr, /stopped before the log was open/)

  // Nothing was lost, and a signal that finds the recovery about to end waits for it.
  writeFileSync(gate, '')
  const server = await serve(context, [file])
  assert.equal((await draw(server.url, 'open')).id, 1)
  assert.equal((await server.stop()).code, 0)
})
