import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LoadResult } from './figure.ts'
import { pathOf } from './programs.ts'
import type { Stage } from './stage.ts'

export interface HttpLoad {
  readonly url: string
  readonly clients: number
  /** Sent as JSON by POST. */
  readonly body: Readonly<Record<string, unknown>>
}

/** Throws where a request was refused. */
export async function loadHttp(
  stage: Stage,
  { url, clients, body }: HttpLoad,
  seconds: number,
): Promise<LoadResult> {
  const script = join(stage.directory, 'post.lua')
  // Without a function for each request: wrk then repeats the bytes, and its own cost stays small.
  const lines = ["wrk.method = 'POST'", `wrk.body = '${JSON.stringify(body)}'`]
  writeFileSync(script, `${lines.join('\n')}\nwrk.headers['content-type'] = 'application/json'\n`)
  // wrk takes whole seconds.
  const duration = `${Math.max(1, Math.round(seconds))}s`
  // An answer that takes two seconds, which a busy machine may need, would count as an error.
  const args = ['-t', '1', '-c', String(clients), '-d', duration, '--timeout', '60s', '-s', script, url]
  const printed = await stage.run(pathOf('wrk'), args)
  const rate = Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(printed)?.[1])
  const requests = Number(/^\s*(\d+) requests in /m.exec(printed)?.[1])
  if (!(rate > 0) || /Non-2xx|Socket errors/.test(printed)) throw new Error(`wrk: ${printed.trim()}`)
  return { rate, requests }
}
