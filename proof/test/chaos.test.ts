import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { readSection, readTable, readText } from '../../test/support/repository.ts'
import { episodes } from '../src/chaos/episodes/index.ts'

const program = fileURLToPath(new URL('../src/chaos/main.ts', import.meta.url))

async function chaos(...words: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--conditions=source', program, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

const opOf = (line: string): string => /"op":"([^"]+)"/.exec(line)![1]!

suite('a real server under real clients, killed', () => {
  let directory = ''
  after(() => directory !== '' && rmSync(directory, { recursive: true, force: true }))

  before(async () => {
    const { code, output } = await chaos('--kills', '2', '--seed', '5', '--only', 'a client killed', '--keep')
    directory = /^(\/\S+): durability/m.exec(output)?.[1] ?? ''
    assert.equal(code, 0, output)
    assert.match(output, /\n2 passed, 0 failed\n$/)
  })

  test('what it leaves behind can be checked again', async () => {
    const { code, output } = await chaos('--check', directory)
    assert.equal(code, 0, output)
    assert.match(output, /^ +\d+ attempts, \d+ answered, \d+ of unknown outcome; \d+ draws in the log\n$/)
  })

  /** Changes the history of the HTTP client for one check. */
  async function checkSpoiled(spoil: (lines: string[]) => string[]): Promise<string> {
    const file = join(directory, 'history', 'http.jsonl')
    const text = readFileSync(file, 'utf8')
    const lines = text.trim().split('\n')
    const spoiled = spoil(lines)
    assert.notDeepEqual(spoiled, lines)
    writeFileSync(file, `${spoiled.join('\n')}\n`)
    const { code, output } = await chaos('--check', directory)
    writeFileSync(file, text)
    assert.equal(code, 1, output)
    return output
  }

  test('an answer that the log does not have is found', async () => {
    const output = await checkSpoiled(lines => {
      const last = lines.findLastIndex(line => line.includes('"kind":"drawn"'))
      return lines.with(last, lines[last]!.replace(/"id":(\d+)/, '"id":9$1'))
    })
    assert.match(output, /1 x log-lost\n/)
  })

  test('a draw that nobody asked for is found', async () => {
    const output = await checkSpoiled(lines => {
      const drawn = new Set(lines.filter(line => line.includes('"kind":"drawn"')).map(opOf))
      const op = lines
        .filter(line => /"recipient":"user-\d+"}/.test(line))
        .map(opOf)
        .find(name => drawn.has(name))
      return lines.filter(line => opOf(line) !== op)
    })
    assert.match(output, /1 x log-unasked\n/)
  })

  test('a restock that was answered and is not there is found', async () => {
    const output = await checkSpoiled(lines =>
      lines.map(line => line.replace(/("kind":"restock".*"units":)\d+/, '$1999')),
    )
    assert.match(output, /\d x stock-shown\n/)
  })
})

test('wrong usage is told, with the usage, and exit code 2', async () => {
  for (const words of [['--kills', 'many'], ['--kills', '0'], ['--durability', 'none'], ['--what']]) {
    const { code, output } = await chaos(...words)
    assert.equal(code, 2, output)
    assert.match(output, /npm run chaos -- --check DIR/)
  }
})

test('docs/reliability.md has every mishap', () => {
  const rows = readTable(readSection(readText('docs/reliability.md'), '## Real processes'))
  const listed = rows.map(([mishap]) => mishap!.replace(/ \(.*\)$/, ''))
  assert.deepEqual(
    listed,
    episodes.map(({ name }) => name),
  )
})
