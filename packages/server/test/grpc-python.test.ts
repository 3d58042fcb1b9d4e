import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Kuji } from '@kuji/engine'
import { accessOf } from './support/doors.ts'
import { openDoor } from './support/grpc-door.ts'

const run = promisify(execFile)
const python = '/usr/bin/python3'
const here = spawnSync(python, ['-c', 'import grpc, google.protobuf']).status === 0
const skip = here ? false : 'grpcio is not here: apt-get install python3-grpcio'
const script = fileURLToPath(new URL('./support/grpc-client.py', import.meta.url))
const descriptors = fileURLToPath(new URL('../proto/kuji.binpb', import.meta.url))

interface Receipt {
  readonly id: string
  readonly items: readonly string[]
  readonly replayed?: boolean
}

interface Seen {
  readonly put: object
  readonly pool: { readonly metadata: object; readonly items: readonly object[] }
  readonly draw: Receipt
  readonly again: Receipt
  readonly conflict: readonly string[]
  readonly nowhere: readonly string[]
  readonly late: readonly (string | null)[]
  readonly stream: readonly { correlationId: string; receipt?: Receipt; error?: { code: string } }[]
  readonly event: readonly unknown[]
}

suite('grpcio, in Python', { skip }, () => {
  test('puts, draws, draws again with the key, streams, watches and is refused', async context => {
    const engine = (kuji: Kuji): Partial<Kuji> => ({
      drawTo: (sink, token, pool, options) => {
        if (pool !== 'held') kuji.drawTo(sink, token, pool, options)
      },
    })
    const access = accessOf({ secret: ['draw', 'read', 'admin'] })
    const { port, kuji } = await openDoor(context, { access, engine })
    // From here on events are kept.
    const watching = kuji.watch({})
    void watching.next()
    const after = kuji.status().lsn
    const { stdout } = await run(python, [script, String(port), descriptors, 'secret', String(after)], {
      maxBuffer: 64 * 1024 * 1024,
    })
    const seen = JSON.parse(stdout) as Seen
    assert.deepEqual(seen.put, { id: 'noted', version: '1', created: true, changed: true })
    assert.deepEqual(seen.pool.metadata, { title: 'くじ', pages: [1, null, true] })
    const item = { id: 'a', weight: 0.5, odds: 1 }
    const stock = { units: '9007199254740' }
    assert.deepEqual(seen.pool.items, [{ ...item, stock, remaining: stock }])
    assert.deepEqual([seen.draw.id, seen.draw.items.length, seen.draw.replayed], ['1', 10_000, undefined])
    assert.deepEqual(seen.again, { ...seen.draw, replayed: true })
    assert.deepEqual(seen.conflict.slice(0, 2), ['ALREADY_EXISTS', 'KEY_CONFLICT'])
    assert.deepEqual(seen.nowhere.slice(0, 2), ['NOT_FOUND', 'POOL_NOT_FOUND'])
    assert.ok(JSON.parse(seen.nowhere[2]!).pool.startsWith('ななな'))
    assert.deepEqual(seen.late, ['DEADLINE_EXCEEDED', null, null])
    assert.deepEqual(
      seen.stream.map(({ correlationId, receipt, error }) => [correlationId, receipt?.id ?? error?.code]),
      [
        ['1', '10001'],
        ['2', 'INSUFFICIENT_STOCK'],
        ['3', '10002'],
      ],
    )
    assert.deepEqual(seen.event, [String(after + 1), ['pool']])
    await watching.return()
  })
})
