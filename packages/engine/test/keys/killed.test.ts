import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open } from '@kuji/engine'
import { nextLine, runChild } from '../support/child.ts'
import { readLogOnPaper } from '../support/log-reader.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const segmentBytes = 4096

/** A child that draws with many keys in flight, says what it asks and what it was answered, and is killed. */
const victim = (dir: string, durability: string, round: number): string => `
  import { open } from '@kuji/engine'
  const options = { durability: '${durability}', segmentBytes: ${segmentBytes}, onEvent() {} }
  const kuji = await open({ dir: ${JSON.stringify(dir)}, ...options })
  const items = ['a', 'b'].map(id => ({ id, weight: 1, stock: 'unlimited' }))
  await kuji.putPool({ id: 'p', items })
  const say = line => process.stdout.write(line + '\\n')
  let asked = 0
  const ask = async () => {
    for (;;) {
      const key = '鍵-${round}-' + asked++
      say('ask ' + key)
      const { id, items } = await kuji.draw('p', { key, count: 3, recipient: 'r' })
      say('got ' + key + ' ' + id + ' ' + items.join(''))
    }
  }
  for (let k = 0; k < 20; k++) ask()
`

for (const durability of ['os', 'sync'] as const) {
  test(`after kill -9 what was asked with a key is drawn once, and answered the same: ${durability}`, async t => {
    const dir = temporaryDirectory(t)
    const answers = new Map<string, string>()
    for (let round = 0; round < 3; round++) {
      const child = runChild(victim(dir, durability, round))
      const asked: string[] = []
      const take = (line: string): void => {
        const [what, key = '', id, items = ''] = line.split(' ')
        if (what === 'ask') asked.push(key)
        // The kill may have cut the last line of the pipe.
        else if (what === 'got' && items.length === 3) answers.set(key, `${id} ${items}`)
      }
      for (let line = 0; line < 300 + round * 211; line++) take(await nextLine(child))
      child.process.kill('SIGKILL')
      for (let line = await child.lines.next(); !line.done; line = await child.lines.next()) take(line.value)
      assert.equal(await child.ended, 'SIGKILL')
      const kuji = await open({ dir, durability, segmentBytes })
      for (const key of new Set([...asked, ...answers.keys()])) {
        const { id, items } = await kuji.draw('p', { key, count: 3, recipient: 'r' })
        const again = `${id} ${items.join('')}`
        assert.equal(again, answers.get(key) ?? again, key)
        answers.set(key, again)
      }
      await kuji.close()
      const { keys } = readLogOnPaper(dir)
      for (const [name, draws] of keys) assert.equal(draws.length, 1, name)
    }
  })
}
