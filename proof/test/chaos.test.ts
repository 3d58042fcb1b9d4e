import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

/** The last draw without a key: one that was asked for twice would contradict itself before it contradicts the log. */
function lastDrawn(lines: readonly string[]): number {
  const keyed = new Set(lines.filter(line => line.includes('"key":')).map(opOf))
  return lines.findLastIndex(line => line.includes('"kind":"drawn"') && !keyed.has(opOf(line)))
}

const opOf = (line: string): string => /"op":"([^"]+)"/.exec(line)![1]!

suite('a real server under real clients, killed', () => {
  let directory = ''
  after(() => directory !== '' && rmSync(directory, { recursive: true, force: true }))

  before(async () => {
    // Enough of everything that is spoilt below: of 600 answers about thirty are POOL_EMPTY, say.
    const words = ['--kills', '2', '--seed', '5', '--only', 'a client killed', '--answers', '600', '--keep']
    const { code, output } = await chaos(...words)
    directory = /^(\/\S+): durability/m.exec(output)?.[1] ?? ''
    assert.equal(code, 0, output)
    assert.match(output, /\n2 passed, 0 failed\n$/)
  })

  test('what it leaves behind can be checked again', async () => {
    const { code, output } = await chaos('--check', directory)
    assert.equal(code, 0, output)
    assert.match(
      output,
      /^ +\d+ attempts, \d+ answered, \d+ of unknown outcome \(\d+ not waited for\); \d+ draws in the log\n$/,
    )
  })

  /** Changes a file of what was left behind, for one check; the history of the HTTP client where none is named. */
  async function checkSpoiled(
    spoil: (lines: string[]) => string[],
    name = 'history/http.jsonl',
  ): Promise<string> {
    const file = join(directory, name)
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    const lines = text.split('\n').filter(line => line !== '')
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
      const last = lastDrawn(lines)
      return lines.with(last, lines[last]!.replace(/"id":(\d+)/, '"id":9$1'))
    })
    assert.match(output, /1 x log-lost\n/)
  })

  test('a draw that nobody asked for is found', async () => {
    const output = await checkSpoiled(lines => {
      const drawn = new Set(lines.filter(line => line.includes('"kind":"drawn"')).map(opOf))
      const op = lines
        .filter(line => /"recipient":"user-\d+"}/.test(line) && !line.includes('"key":'))
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

  test('a refusal is found for which nothing at that time was a reason', async () => {
    const codes = ['READ_ONLY', 'OVERLOADED', 'INTERNAL', 'INVALID', 'ITEM_NOT_FOUND']
    const output = await checkSpoiled(lines => {
      const left = [...codes]
      return lines.map(line =>
        line.replace(/"POOL_EMPTY"/, found => (left.length > 0 ? `"${left.pop()}"` : found)),
      )
    })
    assert.match(output, new RegExp(`${codes.length} x refusal-unexpected\n`))
    for (const code of codes.slice(-3))
      assert.match(output, new RegExp(`was answered with ${code}, which nothing`))
  })

  test('a receipt of another time than the log has is found', async () => {
    const output = await checkSpoiled(lines => {
      const last = lastDrawn(lines)
      return lines.with(
        last,
        lines[last]!.replace(/"at":(\d+)/, (_, at) => `"at":${Number(at) + 1}`),
      )
    })
    assert.match(output, /1 x log-differs\n/)
  })

  test('so is a log of another time than the clients have', async () => {
    const later = (lines: string[]) =>
      lines.map(line => line.replace(/"zero":([\d.]+)/, (_, zero) => `"zero":${Number(zero) + 1000}`))
    assert.match(await checkSpoiled(later, 'lives.jsonl'), /\d x time-off\n/)
  })

  test('a client that is never answered a kind of request is found', async () => {
    const output = await checkSpoiled(lines =>
      lines.map(line =>
        line.replace(/"outcome":\{"kind":"drawn".*$/, '"outcome":{"kind":"unknown"},"lost":"timeout"}'),
      ),
    )
    assert.match(output, /1 x never-answered\n +http: draw: none of \d+ was answered\n/)
  })

  test('a stop of the server during which nobody lost patience is found', async () => {
    const stop = '{"name":"stopped for a while","from":0,"to":1}'
    const output = await checkSpoiled(lines => [...lines, stop], 'episodes.jsonl')
    assert.match(output, /1 x patience-untried\n/)
  })
})

test('a server that ends by itself is told, with its exit and what it said last', async () => {
  let directory: string | undefined
  const child = spawn(
    process.execPath,
    ['--conditions=source', program, '--kills', '1000', '--only', 'nothing'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    directory = /^(\/\S+): durability/m.exec(output)?.[1]
    if (directory === undefined || !/life \d+ serves\n$/.test(text)) return
    const lives = readFileSync(join(directory, 'server.log'), 'utf8').matchAll(
      /^--- life \d+, process (\d+)$/gm,
    )
    const pid = Number([...lives].at(-1)![1])
    try {
      process.kill(pid, 'SIGUSR2')
    } catch {
      // Killed meanwhile: the next life will do.
    }
  })
  const [code] = (await once(child, 'close')) as [number | null]
  rmSync(directory!, { recursive: true, force: true })
  assert.equal(code, 1, output)
  assert.match(output, /^FAILED /m)
  assert.match(output, /the server has ended by itself, with SIGUSR2; it said last:\n *\S/)
})

test('wrong usage is told, with the usage, and exit code 2', async () => {
  const wrong = [
    ['--kills', 'many'],
    ['--kills', '0'],
    ['--durability', 'none'],
    ['--what'],
    ['--check', '/none'],
  ]
  for (const words of wrong) {
    const { code, output } = await chaos(...words)
    assert.equal(code, 2, output)
    assert.match(output, /npm run chaos -- --check DIR/)
  }
})

test('help is given where it is asked for', async () => {
  const { code, output } = await chaos('--help')
  assert.equal(code, 0)
  assert.match(output, /^npm run chaos -- .*\n(?:.*\n)* {2}--help\n/)
})

test('docs/reliability.md has every mishap', () => {
  const rows = readTable(readSection(readText('docs/reliability.md'), '## Real processes'))
  const listed = rows.map(([mishap]) => mishap!.replace(/ \(.*\)$/, ''))
  assert.deepEqual(
    listed,
    episodes.map(({ name }) => name),
  )
})
