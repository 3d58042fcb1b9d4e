import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serve, serveSample } from '../../server/test/support/processes.ts'
import { KujiClient } from '../src/index.ts'
import { startHostileProxy } from './support/hostile-proxy.ts'

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url))

/** Starts an example. What it has printed can be waited for. */
function start(name: string, words: readonly string[], input = '') {
  const child = spawn(process.execPath, ['--conditions=source', join(examples, name), ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 600_000,
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  child.stdin.end(input)
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, text }))
  const printed = async (pattern: RegExp) => {
    while (!pattern.test(text)) await once(child.stdout, 'data')
  }
  return { child, ended, printed }
}

test('every program of the examples is run here', () => {
  const programs = readdirSync(examples).filter(name => name.endsWith('.ts'))
  assert.deepEqual(programs.sort(), ['redeem-orders.ts', 'winners-board.ts'])
})

test('a list of orders is redeemed once, however often it is run and whatever the network does', async context => {
  const pools = 'pools: [{ id: box, mode: urn, items: [{ id: ticket, stock: 8 }] }]'
  const { url } = await serveSample(context, pools)
  const proxy = await startHostileProxy(context, url)
  proxy.plan('lost on the way back', 'none', 'half an answer')
  const orders = 'order-1,anna,3\norder-2,ben,4\norder-3,cleo,2\norder-1,anna,3\n'
  const first = await start('redeem-orders.ts', ['box', proxy.url], orders).ended
  const many = (count: number) => Array(count).fill('ticket').join(', ')
  const [anna, ben] = [`order-1: anna gets ${many(3)}`, `order-2: ben gets ${many(4)}`]
  const before = ' (redeemed before)'
  const cleo = 'order-3: not redeemed: pool "box" holds 1 units, 2 were asked for'
  // Replayed for whoever asks, also when it is the client that has asked before.
  const expected = [anna + before, ben + before, cleo, anna + before, ''].join('\n')
  assert.deepEqual(first, { code: 1, text: expected })
  assert.deepEqual(await start('redeem-orders.ts', ['box', url], orders).ended, first)
  assert.equal((await new KujiClient({ url }).pool('box')).drawn, 7)
})

test('the board shows each winner once, and goes on behind a restart of the server', async context => {
  const pools = `pools:
  - { id: cans, items: [{ id: car, weight: 1, stock: unlimited }, { id: blank, weight: 199, stock: unlimited }] }`
  const server = await serveSample(context, pools)
  const proxy = await startHostileProxy(context, server.url)
  const board = start('winners-board.ts', ['cans', proxy.url])
  await board.printed(/watching for car\n/)
  const winners: number[] = []
  const drawUntilWon = async (client: KujiClient) => {
    for (let won = false; !won; ) {
      const { id, items } = await client.draw('cans', { count: 100, recipient: 'user-7' })
      const numbers = items.flatMap((item, index) => (item === 'car' ? [id + index] : []))
      winners.push(...numbers)
      won = numbers.length > 0
    }
  }
  const client = new KujiClient({ url: server.url })
  // The stream is open when a winner shows; those before it are not on the board.
  // One draw after the other: of two at a time, the board might not have the later one when the server stops.
  let open = false
  void board.printed(/draw \d+\n/).then(() => {
    open = true
  })
  while (!open) await drawUntilWon(client)
  await drawUntilWon(client)
  await board.printed(new RegExp(`car for user-7, draw ${winners.at(-1)}\n`))
  // Held back until there is one again: however long that takes, it is one failure of the ten that the board bears.
  proxy.hold()
  await server.stop()
  const again = await serve(context, [server.file])
  proxy.moveTo(again.url)
  await board.printed(/the server was restarted/)
  await drawUntilWon(new KujiClient({ url: again.url }))
  await board.printed(new RegExp(`draw ${winners.at(-1)}\n`))
  board.child.kill('SIGTERM')
  const { code, text } = await board.ended
  assert.equal(code, 0)
  const shown = [...text.matchAll(/draw (\d+)\n/g)].map(([, number]) => Number(number))
  assert.ok(shown.length >= 2)
  assert.deepEqual(shown, winners.slice(-shown.length))
})
