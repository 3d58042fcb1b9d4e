import type { Finding } from './finding.ts'
import { splice } from './mutate/bytes.ts'
import type { Probe } from './probe.ts'

const nothing = new Uint8Array(0)

/**
 * Makes the input of a finding smaller, by leaving out ranges of it and then by making its bytes plain, as long as the
 * same thing is wrong. Null where the input alone does not bring it about: something was left of those before it.
 */
export async function minimise(
  finding: Finding,
  probe: Probe,
  milliseconds: number,
): Promise<Finding | null> {
  const again = await probe.run(finding.input)
  if (again === null) return null
  // What hangs has taken all of its time already, and that is not what there is for smaller ones.
  const until = performance.now() + milliseconds
  let best = again
  const attempt = async (input: Uint8Array): Promise<boolean> => {
    const found = await probe.run(input)
    if (found?.key !== again.key) return false
    best = { ...found, input }
    return true
  }
  for (let size = best.input.length >> 1; size >= 1 && performance.now() < until; ) {
    let shorter = false
    for (let at = 0; at < best.input.length && performance.now() < until; ) {
      const cut = splice(best.input, at, Math.min(at + size, best.input.length), nothing)
      if ((await attempt(cut)) || (await attempt(await probe.mend(cut)))) shorter = true
      else at += size
    }
    if (!shorter || size > 1) size >>= 1
  }
  for (let at = 0; at < best.input.length && performance.now() < until; at++)
    if (best.input[at] !== 0x30) await attempt(splice(best.input, at, at + 1, Uint8Array.of(0x30)))
  return best
}
