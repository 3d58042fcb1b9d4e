import type { TestContext } from 'node:test'
import { type AnswerSink, type Kuji, open } from '@kuji/engine'
import { openDoor } from './doors.ts'

/** A server whose draws are made when the test says so. */
export async function openHolding(context: TestContext) {
  const kuji = await open({ durability: 'none' })
  context.after(() => kuji.close())
  const waiting: (() => void)[] = []
  const holding = {
    drawTo: (sink: AnswerSink, token: number, pool: string, options?: object) =>
      void waiting.push(() => kuji.drawTo(sink, token, pool, options)),
  }
  const engine = new Proxy(kuji, {
    get(target, name) {
      const from = name in holding ? holding : target
      const value = Reflect.get(from, name) as unknown
      return typeof value === 'function' ? value.bind(from) : value
    },
  })
  const door = await openDoor(context, { kuji: engine as Kuji })
  await kuji.putPool({ id: 'open', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  const arrived = async () => {
    while (waiting.length === 0) await new Promise(setImmediate)
  }
  const answer = () => {
    for (const make of waiting.splice(0)) make()
  }
  return { ...door, arrived, answer }
}
