import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kuji, serveSample } from '../../server/test/support/processes.ts'
import { KujiClient } from '../src/index.ts'
import { assertRefused } from './support/refused.ts'

/** A key as its owner makes it, and its entry of a configuration. */
async function makeKey(name: string, scopes: string): Promise<{ key: string; entry: object }> {
  return JSON.parse((await kuji(['keys', 'new', '--name', name, '--scopes', scopes, '--json'])).stdout)
}

test('a client and the command line take the key of a server along, and are refused without it', async context => {
  const [shop, owner] = await Promise.all([makeKey('shop', 'draw'), makeKey('owner', 'draw,read,admin')])
  const pools = 'pools: [{ id: p, items: [{ id: a, weight: 1, stock: unlimited }] }]'
  const { url } = await serveSample(
    context,
    `apiKeys: ${JSON.stringify([shop.entry, owner.entry])}\n${pools}`,
  )
  const nobody = new KujiClient({ url })
  await assertRefused(nobody.draw('p'), 'UNAUTHENTICATED')
  await assertRefused(nobody.events({ after: 0 }).next(), 'UNAUTHENTICATED')
  const drawing = new KujiClient({ url, apiKey: shop.key })
  assert.deepEqual((await drawing.draw('p')).items, ['a'])
  const refusal = await assertRefused(drawing.pausePool('p'), 'FORBIDDEN')
  assert.equal(refusal.fields.scope, 'admin')
  assert.ok(!refusal.message.includes(shop.key))
  const owning = new KujiClient({ url, apiKey: owner.key })
  assert.equal((await owning.pausePool('p')).status, 'paused')
  assert.equal((await owning.resumePool('p')).status, 'open')
  const words = ['draw', 'p', '--server', url]
  assert.match((await kuji(words)).stderr, /^kuji: UNAUTHENTICATED: .*KUJI_API_KEY/)
  assert.equal((await kuji(words, { env: { KUJI_API_KEY: shop.key } })).stdout, '2 a\n')
  assert.equal((await owning.pool('p')).drawn, 2)
  assert.equal((await owning.closePool('p')).status, 'closed')
  assert.equal((await owning.deletePool('p')).id, 'p')
  await assertRefused(owning.pool('p'), 'POOL_NOT_FOUND')
})
