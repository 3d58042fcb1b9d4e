import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MetricsText } from './support/metrics-text.ts'
import { serveSample } from './support/processes.ts'
import { draw, request } from './support/requests.ts'
import { RespClient } from './support/resp-client.ts'

const doors = 'resp: { listen: 127.0.0.1:0 }\n'
const pools = 'pools: [{ id: open, items: [{ id: a, weight: 1, stock: unlimited }] }]'

const types = {
  kuji_build_info: 'gauge',
  kuji_draws_total: 'counter',
  kuji_replayed_draws_total: 'counter',
  kuji_requests_total: 'counter',
  kuji_refusals_total: 'counter',
  kuji_connections: 'gauge',
  kuji_batch_draws: 'histogram',
  kuji_batch_bytes: 'histogram',
  kuji_log_write_seconds: 'histogram',
  kuji_queue_depth: 'gauge',
  kuji_lsn: 'gauge',
  kuji_draw_number: 'gauge',
  kuji_idempotency_keys: 'gauge',
  kuji_idempotency_key_bytes: 'gauge',
  kuji_idempotency_keys_forgotten_early_total: 'counter',
  kuji_idempotency_oldest_key_seconds: 'gauge',
  kuji_segment: 'gauge',
  kuji_snapshot_lsn: 'gauge',
  kuji_snapshot_timestamp_seconds: 'gauge',
  kuji_events_total: 'counter',
  kuji_state: 'gauge',
  nodejs_eventloop_lag_p99_seconds: 'gauge',
  process_resident_memory_bytes: 'gauge',
  process_cpu_seconds_total: 'counter',
}

test('/metrics counts draws, refusals, batches and connections of each door', async context => {
  const server = await serveSample(context, doors + pools)
  const before = await MetricsText.scrape(server.url)
  for (const [name, type] of Object.entries(types)) assert.equal(before.types.get(name), type, name)
  assert.equal(before.value('kuji_draws_total{protocol="http"}'), 0)
  assert.equal(before.value('kuji_state{state="open"}'), 1)
  assert.equal(before.value('kuji_state{state="recovering"}'), 0)

  await draw(server.url, 'open', { count: 5 })
  const keyed = { 'idempotency-key': 'order-1' }
  await request(server.url, 'POST', '/v1/pools/open/draws', { count: 3 }, keyed)
  await request(server.url, 'POST', '/v1/pools/open/draws', { count: 3 }, keyed)
  await request(server.url, 'POST', '/v1/pools/none/draws')
  await request(server.url, 'GET', '/nowhere')
  const [, port] = /redis:\/\/127\.0\.0\.1:(\d+)/.exec(server.stdout()) ?? []
  const client = await RespClient.open(context, Number(port))
  await client.ask('DRAW', 'open', 'COUNT', '7')
  await client.ask('DRAW', 'none')

  const after = await MetricsText.scrape(server.url)
  const moved = (sample: string) => (after.value(sample) ?? 0) - (before.value(sample) ?? 0)
  assert.equal(moved('kuji_draws_total{protocol="http"}'), 8)
  assert.equal(moved('kuji_replayed_draws_total{protocol="http"}'), 3)
  assert.equal(moved('kuji_draws_total{protocol="resp"}'), 7)
  assert.equal(moved('kuji_requests_total{protocol="http"}'), 6, 'five, and the scrape itself')
  assert.equal(moved('kuji_requests_total{protocol="resp"}'), 2)
  assert.equal(moved('kuji_refusals_total{protocol="http",code="POOL_NOT_FOUND"}'), 1)
  assert.equal(moved('kuji_refusals_total{protocol="http",code="INVALID"}'), 1)
  assert.equal(moved('kuji_refusals_total{protocol="resp",code="POOL_NOT_FOUND"}'), 1)
  assert.equal(after.value('kuji_connections{protocol="resp"}'), 1)
  assert.equal(after.value('kuji_draw_number'), 15)
  assert.equal(after.value('kuji_idempotency_keys'), 1)
  assert.equal(after.value('kuji_queue_depth'), 0)
  assert.equal(after.value('kuji_segment'), 1)
  assert.ok(moved('kuji_lsn') >= 3)
  assert.equal(moved('kuji_batch_draws_sum'), 15)
  assert.equal(moved('kuji_batch_draws_count'), moved('kuji_log_write_seconds_count'))
  assert.equal(after.value('kuji_batch_draws_bucket{le="+Inf"}'), after.value('kuji_batch_draws_count'))
  assert.ok(moved('kuji_batch_bytes_sum') > 0)
  assert.ok(moved('kuji_log_write_seconds_sum') > 0)
})

test('keys that go before their time show in the metrics, the health and the log', async context => {
  const server = await serveSample(context, `idempotency: { keys: 2 }\n${pools}`)
  const keyed = (key: string) =>
    request(server.url, 'POST', '/v1/pools/open/draws', {}, { 'idempotency-key': key })
  for (const key of ['a', 'b']) await keyed(key)
  const name = 'kuji_idempotency_keys_forgotten_early_total'
  assert.equal((await MetricsText.scrape(server.url)).value(name), 0)
  for (const key of ['c', 'd', 'e']) await keyed(key)
  const metrics = await MetricsText.scrape(server.url)
  assert.equal(metrics.value(name), 3)
  assert.ok(metrics.value('kuji_idempotency_oldest_key_seconds')! < 60)
  assert.equal(metrics.value('kuji_events_total{type="keys-full",level="warn"}'), 1)
  const { keysForgottenEarly } = (await request(server.url, 'GET', '/healthz')).body as Record<
    string,
    unknown
  >
  assert.equal(keysForgottenEarly, 3)
  assert.match(
    server.stdout() + server.stderr(),
    /no more than 2 are kept; raise keys\.most \(of a server: idempotency\.keys/,
  )
})

test('the buckets of a histogram hold all below them', async context => {
  const server = await serveSample(context, pools)
  for (const count of [1, 4, 5, 10_000]) await draw(server.url, 'open', { count })
  const metrics = await MetricsText.scrape(server.url)
  const bucket = (le: number) => metrics.value(`kuji_batch_draws_bucket{le="${le}"}`)
  // Batches without a draw (the pool's creation, a seal of the idle log) are in the first one too.
  const none = bucket(1)! - 1
  assert.deepEqual(
    [4, 16, 4096, 16_384].map(le => bucket(le)! - none),
    [2, 3, 3, 4],
  )
})

test('a scrape during the work of others changes no answer, and a snapshot shows', async context => {
  const server = await serveSample(context, pools)
  const scrapes = (async () => {
    for (let count = 0; count < 20; count++) await MetricsText.scrape(server.url)
  })()
  // Of 64 KiB a segment: enough to fill some.
  for (let count = 0; count < 40; count++) await draw(server.url, 'open', { count: 10_000 })
  await scrapes
  for (;;) {
    const metrics = await MetricsText.scrape(server.url)
    assert.ok(metrics.value('kuji_segment')! > 1)
    const at = metrics.value('kuji_snapshot_timestamp_seconds')
    if (at === undefined) continue
    assert.ok(Math.abs(at - Date.now() / 1000) < 3600)
    assert.ok(metrics.value('kuji_events_total{type="snapshot-written",level="info"}')! >= 1)
    assert.ok(metrics.value('kuji_snapshot_lsn')! > 0)
    return
  }
})
