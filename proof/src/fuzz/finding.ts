import { inspect } from 'node:util'

export interface Finding {
  readonly input: Uint8Array
  /** What is wrong, in some lines. */
  readonly message: string
  /** The same for findings of one cause, as far as that can be told: the message without numbers, and where it was. */
  readonly key: string
}

/** What an error that came out of a reader tells. */
export function describeError(error: unknown): Omit<Finding, 'input'> {
  if (!(error instanceof Error)) return { message: inspect(error), key: inspect(error).slice(0, 200) }
  const { name, message, stack = '' } = error
  const frames = stack.split('\n').filter(line => line.startsWith('    at ') && !line.includes('node:'))
  const place = /at (?:async )?(\S+)/.exec(frames[0] ?? '')?.[1] ?? ''
  const first = message
    .split('\n')[0]!
    .replaceAll(/\d+|"(?:[^"\\]|\\.)*"/g, '#')
    .slice(0, 100)
  const cause = error.cause instanceof Error ? `\nbecause of ${error.cause.stack}` : ''
  return {
    message: `${name}: ${message}\n${frames.slice(0, 8).join('\n')}${cause}`,
    key: `${name} ${first} ${place}`,
  }
}
