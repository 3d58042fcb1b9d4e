import { sleep } from '../clock.ts'
import type { Stage } from '../stage.ts'

/** As long as a start may take on a machine that has much else to do. */
const patienceMs = 180_000

/** The server ends by itself, with this exit code. */
export async function expectEnd(stage: Stage, code: number): Promise<void> {
  const { server } = stage
  const late = setTimeout(() => server.kill('SIGKILL'), patienceMs)
  const end = await stage.ended()
  clearTimeout(late)
  if (end.code !== code)
    throw new Error(`the server ended with ${end.code ?? end.signal}, expected ${code}:\n${server.output}`)
}

export function mustSay(output: string, words: RegExp): void {
  if (!words.test(output)) throw new Error(`nothing like ${words} in:\n${output}`)
}

/** Waits until /readyz tells this reason; '' for ready. */
export async function untilReady(stage: Stage, reason: string): Promise<void> {
  const since = performance.now()
  let told = ''
  while (performance.now() - since < patienceMs) {
    const response = await fetch(`${stage.address.http}/readyz`)
    told = ((await response.json()) as { reason?: string }).reason ?? ''
    if (told === reason) return
    await sleep(20)
  }
  throw new Error(`/readyz tells "${told}" after ${patienceMs} ms, expected "${reason}"`)
}
