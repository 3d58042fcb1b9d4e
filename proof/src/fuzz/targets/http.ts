import { codes } from '@kuji/engine/contract'
import { createApp } from '../../../../packages/server/src/http/app.ts'
import { serverLimits } from '../../../../packages/server/src/limits.ts'
import { Metrics } from '../../../../packages/server/src/metrics/metrics.ts'
import { mutateHttp, type ParsedRequest, parseRequest } from '../mutate/http.ts'
import { ServiceOnTrial } from '../server-parts.ts'
import { Defect, type FuzzTarget } from '../target.ts'

const json = 'content-type: application/json'

const seeds = [
  'POST /v1/pools/summer/draws\n\n',
  `POST /v1/pools/summer/draws\n${json}\nidempotency-key: "order-42"\n\n` +
    '{"count":3,"recipient":"user-7","partial":true}',
  `PUT /v1/pools/new\n${json}\nif-none-match: *\n\n` +
    '{"items":[{"id":"a","weight":0.5,"stock":10,"metadata":{"n":[1,null]}},' +
    '{"id":"b","weight":99.5,"stock":"unlimited"}],"fallback":"b","metadata":{"title":"x"}}',
  `PUT /v1/pools/box\n${json}\nif-match: "1"\n\n` +
    '{"id":"box","mode":"urn","items":[{"id":"a","stock":5},{"id":"last","stock":1}],"lastOne":"last"}',
  `PATCH /v1/pools/summer/items/diamond\n${json}\n\n{"restock":5,"weight":2.25}`,
  'POST /v1/pools/summer/pause\n\n',
  'POST /v1/pools/summer/resume\n\n',
  'POST /v1/pools/box/close\n\n',
  'DELETE /v1/pools/box\n\n',
  'GET /v1/pools?after=a&limit=1\n\n',
  'GET /v1/pools/summer\n\n',
  'GET /v1/draws/1\n\n',
  'GET /metrics\n\n',
]

/** A stream of events has no end, and is not asked for. */
function isEndless(path: string): boolean {
  let decoded = path
  try {
    decoded = decodeURIComponent(path)
  } catch {
    // Refused by the router.
  }
  return /events/i.test(decoded)
}

/** A refusal is a problem document with a code of the table, and nothing but a refusal. */
function checkAnswer(status: number, type: string, body: string): void {
  if (status >= 500) throw new Defect(`answered ${status}: ${body}`)
  if (status < 400) {
    if (type.startsWith('application/json')) JSON.parse(body)
    return
  }
  if (!type.startsWith('application/problem+json')) throw new Defect(`${status} of type ${type}: ${body}`)
  const problem = JSON.parse(body) as Record<string, unknown>
  if (
    problem.status !== status ||
    !Object.hasOwn(codes, String(problem.code)) ||
    typeof problem.detail !== 'string'
  )
    throw new Defect(`${status}: ${body}`)
}

/** Requests from their head to the engine and back, without a socket. Refusals are told as what they are. */
const http: FuzzTarget = {
  mostBytes: serverLimits.bodyBytes + 8192,
  mutate: mutateHttp,
  async seeds() {
    return seeds.map(text => Buffer.from(text))
  },
  async open() {
    const trial = new ServiceOnTrial()
    const { service, log } = trial
    const metrics = new Metrics(() => service.health())
    const listen = { host: '127.0.0.1', port: 0 }
    const app = await createApp({ service, listen, log, meter: metrics.meterOf('http'), metrics })
    await app.ready()
    // What is refused changes nothing.
    let changed = true
    const send = async ({ method, path, headers, body }: ParsedRequest): Promise<number> => {
      const url = path as `/${string}`
      const answer = await app.inject({ method, url, headers, payload: Buffer.from(body) })
      checkAnswer(answer.statusCode, String(answer.headers['content-type']), answer.body)
      return answer.statusCode
    }
    return {
      async run(input) {
        const request = parseRequest(input)
        if (request === null || isEndless(request.path)) return
        if (changed) await trial.reset()
        changed = true
        const status = await send(request)
        changed = status < 300 && request.method !== 'GET'
        await trial.check(changed)
      },
      async close() {
        await app.close()
        await trial.close()
      },
    }
  },
}

export default http
