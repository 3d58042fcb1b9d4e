import { parseArgs } from 'node:util'
import { UsageError } from '../command/command.ts'
import { readWhole } from '../command/numbers.ts'
import { type StreamBits, streamBits } from './stream.ts'

export const usage = `npm run statistics -- [--fresh] [--draws N] [--only WORDS] [--json FILE]
npm run --silent statistics -- --stream [--bits 8|16] | dieharder -a -g 200

Draws from many pools through the whole engine, and holds what comes against what should.

  --fresh       randomness of the operating system; without it, the same words every time
  --seed N      other words (1)
  --draws N     draws of each check, or as many as it needs; without it, what the bias takes that it excludes
  --only WORDS  the checks whose name has these words in it
  --json FILE   writes the results there
  --stream      writes outcomes of a pool of equal items to the standard output, until nobody reads: fresh ones,
                where no seed is given
  --bits        8: one byte a draw from 256 items; 16: two from 65,536

The exit code is 0 where all checks passed, 1 where one failed, 2 for wrong usage.`

export interface StatisticsOptions {
  readonly fresh: boolean
  readonly seed: number
  readonly draws?: number
  readonly only: string
  readonly json: string
  readonly stream: boolean
  readonly bits: StreamBits
}

/** Reads the command line. Null asks for the usage; throws what is wrong with it. */
export function parseOptions(words: readonly string[]): StatisticsOptions | null {
  const { values } = parseArgs({
    args: [...words],
    options: {
      fresh: { type: 'boolean', default: false },
      seed: { type: 'string' },
      draws: { type: 'string' },
      only: { type: 'string', default: '' },
      json: { type: 'string', default: '' },
      stream: { type: 'boolean', default: false },
      bits: { type: 'string', default: '8' },
      help: { type: 'boolean', default: false },
    },
  })
  const { fresh, only, json, stream } = values
  if (values.help) return null
  if (fresh && values.seed !== undefined) throw new UsageError('--fresh has no seed')
  const bits = streamBits.find(known => String(known) === values.bits)
  if (bits === undefined) throw new UsageError(`--bits: expected ${streamBits.join(' or ')}`)
  const draws = values.draws === undefined ? {} : { draws: readWhole('--draws', values.draws) }
  // A stream is there to be looked at for long: the same words every time would be of little use.
  const isFresh = fresh || (stream && values.seed === undefined)
  return {
    fresh: isFresh,
    only,
    json,
    stream,
    bits,
    seed: readWhole('--seed', values.seed ?? '1'),
    ...draws,
  }
}
