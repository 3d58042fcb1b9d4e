import type { Durability } from '@kuji/engine'
import { hashOf } from '../fixtures/check.ts'
import type { Contestant, Group, Pass, Sample } from '../group.ts'
import { loadedEngine } from '../loaded-engine.ts'
import { timed } from '../measure/garbage.ts'

/** One promise a draw. */
const durabilities: readonly Durability[] = ['none', 'os', 'sync']
const inFlights = [1, 64, 1024, 4096, 16_384]
/** The order of what a pass can do in half a second. */
const drawsByInFlight = new Map([
  [1, 20_000],
  [64, 500_000],
])
const targets = new Set(['none 4096', 'sync 1024', 'sync 4096', 'sync 16384', 'none 1024', 'none 16384'])

function contestants(): Contestant[] {
  return inFlights.flatMap(inFlight =>
    durabilities.map(durability =>
      loadedEngine({
        name: `draw/6-items/${durability}/${inFlight}-in-flight`,
        level: targets.has(`${durability} ${inFlight}`) ? 'target' : 'default',
        durability,
        items: 6,
        load: { many: 0, inFlight },
        draws:
          durability === 'none' && inFlight === 1 ? 500_000 : (drawsByInFlight.get(inFlight) ?? 2_000_000),
      }),
    ),
  )
}

/**
 * What a promise and a receipt a draw cost by themselves: lanes that await a promise, which a queue answers with an
 * object like a receipt. No sampler, no state, no log: the ceiling of every promise draw on this runtime.
 */
function barePromises(inFlight: number): Contestant {
  return {
    rows: [`bare/promise-and-receipt/${inFlight}-in-flight`],
    level: 'target',
    run: async pass => [await runBarePromises(inFlight, pass)],
  }
}

async function runBarePromises(inFlight: number, pass: Pass): Promise<Sample> {
  const calls = Math.max(1, Math.round(pass.draws(2_000_000) / inFlight))
  const waiting: (((value: unknown) => void) | undefined)[] = new Array(inFlight * 2).fill(undefined)
  let head = 0
  let tail = 0
  let scheduled = false
  const capture = (resolve: (value: unknown) => void): void => {
    waiting[tail++ % waiting.length] = resolve
  }
  const answer = (): void => {
    scheduled = false
    const end = tail
    while (head < end) {
      const id = head + 1
      waiting[head++ % waiting.length]!({
        id,
        pool: 'bench',
        items: ['item'],
        version: 1,
        at: id,
        replayed: false,
      })
    }
  }
  const ask = (): Promise<unknown> => {
    if (!scheduled) process.nextTick(answer)
    scheduled = true
    return new Promise(capture)
  }
  const lane = async (count: number): Promise<void> => {
    for (let call = 0; call < count; call++) await ask()
  }
  const lanes = (count: number) => Promise.all(Array.from({ length: inFlight }, () => lane(count)))
  await lanes(Math.ceil(calls / 4))
  const before = head
  const measured = await timed(async () => void (await lanes(calls)))
  const draws = head - before
  return { draws, ...measured, hash: hashOf({ draws }) }
}

export const singleDraws: Group = {
  name: 'draw',
  about: 'draw(), one promise a draw, 6 items',
  contestants: [...contestants(), barePromises(4096)],
}
