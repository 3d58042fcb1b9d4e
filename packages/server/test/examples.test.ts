import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import type { ItemState } from '@kuji/engine/contract'
import { type RunningServer, serve, temporaryDirectory, writeConfiguration } from './support/processes.ts'
import { assertProblem, draw, readPool, request } from './support/requests.ts'

const examples = new URL('../../../examples/', import.meta.url)

/** Serves an example as it stands, but for where its data lies and the port. */
async function serveExample(context: TestContext, name: string): Promise<RunningServer> {
  const text = readFileSync(new URL(name, examples), 'utf8')
  const moved = text.replace(/^data: .*$/m, 'data: ./data').replace('127.0.0.1:7070', '127.0.0.1:0')
  assert.notEqual(moved, text)
  return serve(context, [writeConfiguration(temporaryDirectory(context), moved)])
}

function count(items: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) counts[item] = (counts[item] ?? 0) + 1
  return counts
}

const sum = (items: readonly ItemState[], number: (item: ItemState) => number) =>
  items.reduce((total, item) => total + number(item), 0)

test('every example is served and tried here', () => {
  const files = readdirSync(examples).filter(name => name.endsWith('.yaml'))
  assert.deepEqual(files.sort(), ['gacha-banner.yaml', 'ichiban-kuji.yaml', 'instant-win.yaml'])
})

test('the gacha banner shows the published odds, and they stay after draws', async context => {
  const { url } = await serveExample(context, 'gacha-banner.yaml')
  const assertPublished = async () => {
    const { items } = await readPool(url, 'starfall-banner')
    for (const [stars, published] of [
      [5, 0.006],
      [4, 0.051],
      [3, 0.943],
    ] as const) {
      const ofThese = items.filter(({ metadata }) => (metadata as { stars: number }).stars === stars)
      const odds = sum(ofThese, item => item.odds)
      assert.ok(Math.abs(odds - published) < 1e-12, `${stars} stars: ${odds}, published ${published}`)
    }
    assert.equal(
      sum(items, item => item.weight ?? 0),
      1000,
    )
  }
  await assertPublished()
  const { items } = await draw(url, 'starfall-banner', { count: 10_000 })
  assert.equal(items.length, 10_000)
  await assertPublished()
})

test('the 80-ticket box gives out exactly its tickets, the last with the last-one prize', async context => {
  const { url } = await serveExample(context, 'ichiban-kuji.yaml')
  const box = await readPool(url, 'dragon-box')
  const tickets = { A: 1, B: 1, C: 2, D: 3, E: 6, F: 10, G: 15, H: 18, I: 24 }
  for (const [id, number] of Object.entries(tickets)) {
    assert.equal(box.items.find(item => item.id === id)?.odds, number / 80)
  }
  assert.equal(box.items.find(item => item.id === 'last-one')?.odds, 0)
  const drawn: string[] = []
  for (let receipt = 0; receipt < 26; receipt++) {
    const { id, items } = await draw(url, 'dragon-box', { count: 3 })
    assert.equal(id, drawn.length + 1)
    assert.equal(items.length, 3)
    drawn.push(...items)
  }
  const last = await draw(url, 'dragon-box', { count: 5, partial: true })
  assert.equal(last.items.length, 3, 'two tickets and the prize beside the box')
  assert.equal(last.items.at(-1), 'last-one')
  drawn.push(...last.items)
  assert.deepEqual(count(drawn), { ...tickets, 'last-one': 1 })
  assertProblem(await request(url, 'POST', '/v1/pools/dragon-box/draws'), 'POOL_EMPTY')
  const after = await readPool(url, 'dragon-box')
  assert.equal(after.drawn, 81)
  assert.equal(
    sum(after.items, item => Number(item.remaining)),
    0,
  )
})

test('the instant win gives each prize away exactly once over 100,000 entries', async context => {
  const { url } = await serveExample(context, 'instant-win.yaml')
  const before = await readPool(url, 'summer-cans')
  assert.equal(
    sum(before.items, item => Number(item.stock)),
    100_000,
  )
  assert.equal(before.items.find(item => item.id === 'car')?.odds, 1 / 100_000)
  const drawn: string[] = []
  for (let receipt = 0; receipt < 10; receipt++) {
    drawn.push(...(await draw(url, 'summer-cans', { count: 10_000 })).items)
  }
  assert.deepEqual(count(drawn), Object.fromEntries(before.items.map(item => [item.id, item.stock])))
  assertProblem(await request(url, 'POST', '/v1/pools/summer-cans/draws'), 'POOL_EMPTY')
})
