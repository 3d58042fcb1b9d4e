import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { states } from '../src/health.ts'
import { createLogger, type LogFormat } from '../src/logger.ts'
import { MetricsText } from './support/metrics-text.ts'
import { serveSample } from './support/processes.ts'
import { request } from './support/requests.ts'

const guide = readFileSync(new URL('../../../docs/operation.md', import.meta.url), 'utf8')

/** The second cells of the guide's rows whose first one is such a code. */
function rowsOf(pattern: RegExp): Map<string, string> {
  const rows = [...guide.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)]
  return new Map(rows.filter(([, name]) => pattern.test(name!)).map(([, name, cell]) => [name!, cell!]))
}

test('docs/operation.md has every metric of kuji with its type and labels, and no other', async context => {
  const { url } = await serveSample(context, '')
  await request(url, 'GET', '/nowhere')
  const text = await (await fetch(`${url}/metrics`)).text()
  const present = new MetricsText(text).types
  const documented = [...rowsOf(/^kuji_/)].map(([name, type]) => [name.replace(/\{.*/, ''), type] as const)
  assert.deepEqual(new Map(documented), new Map([...present].filter(([name]) => name.startsWith('kuji_'))))
  for (const name of rowsOf(/^kuji_/).keys()) {
    const [, metric, labels] = /^(\w+)\{([\w,]+)\}$/.exec(name) ?? []
    if (metric === undefined) continue
    const [, shown = ''] = new RegExp(`^${metric}\\{(.*)\\} `, 'm').exec(text) ?? []
    assert.equal(shown.replaceAll(/="[^"]*"/g, ''), labels, metric)
  }
  for (const [named] of guide.matchAll(/\b(nodejs_\w+_seconds)\b/g)) assert.ok(present.has(named), named)
})

test('docs/operation.md names every reason for not being ready', () => {
  const reasons = rowsOf(/^[a-z-]+$/)
  reasons.delete('reason')
  // A server that is closed answers nobody.
  const expected = states.filter(state => state !== 'open' && state !== 'closed')
  assert.deepEqual(new Set(reasons.keys()), new Set(expected))
})

test('the log lines of docs/operation.md are as they are written', () => {
  const fields = { pool: 'summer', version: 3, by: 'back-office' }
  const written = (format: LogFormat) => {
    let text = ''
    const log = createLogger(
      part => {
        text += part
      },
      { format },
    )
    log.info('pool paused', fields)
    return text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-11-27T05:18:12.727Z')
  }
  for (const format of ['json', 'text'] as const) assert.ok(guide.includes(`\n${written(format)}`), format)
})
