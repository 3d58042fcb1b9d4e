import { type DrawOptions, KujiError } from '@kuji/engine/contract'
import type { Arguments } from './arguments.ts'

export const drawUsage = 'pool [COUNT n] [KEY k] [FOR recipient] [PARTIAL]'

const words = ['COUNT', 'KEY', 'FOR', 'PARTIAL'] as const

/** What follows the pool of a draw, in any order. Throws `INVALID`. */
export function readDrawOptions(args: Arguments): DrawOptions {
  const options: { count?: number; key?: string; recipient?: string; partial?: boolean } = {}
  const seen = new Set<string>()
  for (let at = 2; at < args.count; at++) {
    const word = words.find(name => args.is(at, name))
    if (word === undefined) throw unknownOption(args, at)
    if (seen.has(word)) throw new KujiError('INVALID', `DRAW: ${word} is there twice`)
    seen.add(word)
    if (word === 'PARTIAL') {
      options.partial = true
      continue
    }
    if (++at === args.count) throw new KujiError('INVALID', `DRAW: ${word} has no value`)
    if (word === 'COUNT') options.count = args.wholeNumber(at, 'count')
    else if (word === 'KEY') options.key = args.exactText(at, 'key')
    else options.recipient = args.exactText(at, 'recipient')
  }
  return options
}

function unknownOption(args: Arguments, at: number): KujiError {
  if (args.is(at, 'HOLD')) return new KujiError('INVALID', 'DRAW: HOLD is not in this version')
  return new KujiError('INVALID', `DRAW: "${args.text(at)}" is no option; usage: DRAW ${drawUsage}`)
}
