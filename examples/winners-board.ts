/**
 * A board of winners: prints each rare item as it is drawn, by whoever and over whichever protocol. Rare is what has a
 * chance of 1 % or less when the board is started. Lost connections are resumed without a gap; of what was drawn
 * before a restart of the server it no longer tells, and the board says so and goes on from there.
 *
 *   npx kuji serve examples/instant-win.yaml
 *   npx node --conditions=source examples/winners-board.ts summer-cans
 */
import { KujiClient, KujiError } from '@kuji/client'

const [pool = 'summer', url = 'http://127.0.0.1:7070'] = process.argv.slice(2)
const apiKey = process.env.KUJI_API_KEY
const kuji = new KujiClient({ url, ...(apiKey === undefined ? {} : { apiKey }) })

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort())

const { items } = await kuji.pool(pool)
const rare = new Set(items.filter(({ odds }) => odds > 0 && odds <= 0.01).map(({ id }) => id))
console.log(`${pool}: watching for ${[...rare].join(', ')}`)

/** Prints winners until the board is stopped. Returns where to go on when the server has forgotten what came before. */
async function watch(after: number | undefined): Promise<number | undefined> {
  const options = { signal: stopping.signal, ...(after === undefined ? {} : { after }) }
  try {
    for await (const { at, changes } of kuji.events(options)) {
      for (const change of changes) {
        if (change.type !== 'draws' || change.pool !== pool) continue
        for (const [index, item] of change.items.entries()) {
          if (!rare.has(item)) continue
          const who = change.recipient === undefined ? '' : ` for ${change.recipient}`
          console.log(`${new Date(at).toISOString()}  ${item}${who}, draw ${change.id + index}`)
        }
      }
    }
    return undefined
  } catch (error) {
    const since = error instanceof KujiError ? error.fields.since : undefined
    if (typeof since !== 'number') throw error
    console.log('the server was restarted: winners just before it may be missing here')
    return since
  }
}

let position: number | undefined
do position = await watch(position)
while (position !== undefined)
