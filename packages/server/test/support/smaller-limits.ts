import type { TestContext } from 'node:test'
import { serverLimits } from '../../src/limits.ts'

type Limits = { -readonly [Name in keyof typeof serverLimits]: number }

/** Makes limits of the server smaller until the end of a test, so that reaching one takes no time. */
export function withLimits(context: TestContext, smaller: Partial<Limits>): void {
  const limits = serverLimits as Limits
  const before = Object.fromEntries(Object.keys(smaller).map(name => [name, limits[name as keyof Limits]]))
  Object.assign(limits, smaller)
  context.after(() => Object.assign(limits, before))
}

/** The same in a process of its own: what its environment has to hold. */
export function limitsInProcess(smaller: Partial<Limits>): Record<string, string> {
  const limits = JSON.stringify(import.meta.resolve('../../src/limits.ts'))
  const code = `import { serverLimits } from ${limits}\nObject.assign(serverLimits, ${JSON.stringify(smaller)})`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` }
}
