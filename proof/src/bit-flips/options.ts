import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { UsageError } from '../command/command.ts'
import { readWhole } from '../command/numbers.ts'
import { type Kind, kinds } from './mutations.ts'
import { type End, ends } from './sample.ts'

export const usage = `Damages a data directory in one way after the other, and starts the engine on each damaged copy:
it must come up with what was answered, or refuse with CORRUPT.

    npm run bit-flips -- [options]

  --stride N        one case in N, default 1: all of them
  --kinds A,B       of ${kinds.join(', ')}; default all
  --ends A,B        directories as an idle log (idle) or an orderly end (shutdown) leaves them; default both
  --log-bytes N     bytes of log behind the snapshots, default 65536
  --jobs N          threads, default as many as there are processors
  --case KIND:N     one case alone
  --help

The exit code is 0 where all cases passed, 1 where one failed, 2 for wrong usage.
`

/** Four files of the smallest size that a log may have. */
const logBytesUnit = 16_384
/** Every bit of it would take weeks. */
const logBytesMost = 16_777_216

export interface Options {
  readonly stride: number
  readonly kinds: readonly Kind[]
  readonly ends: readonly End[]
  readonly logBytes: number
  readonly jobs: number
  readonly case: { readonly kind: Kind; readonly place: number } | null
}

/** Reads the command line. Null asks for the usage; throws what is wrong with it. */
export function parseOptions(args: readonly string[]): Options | null {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ stride: text, kinds: text, ends: text, 'log-bytes': text, jobs: text, case: text },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const { stride, case: one } = values
  if (one !== undefined && (stride !== undefined || values.kinds !== undefined))
    throw new UsageError('--case: is one of one kind, so it goes without --kinds and --stride')
  const logBytes = readWhole('--log-bytes', values['log-bytes'] ?? '65536')
  if (logBytes % logBytesUnit !== 0 || logBytes > logBytesMost)
    throw new UsageError(`--log-bytes: expected a multiple of ${logBytesUnit}, at most ${logBytesMost}`)
  return {
    stride: readWhole('--stride', stride ?? '1'),
    kinds: readNames('--kinds', values.kinds, kinds),
    ends: readNames('--ends', values.ends, ends),
    logBytes,
    jobs: readWhole('--jobs', values.jobs ?? String(availableParallelism())),
    case: one === undefined ? null : readCase(one),
  }
}

function readCase(text: string): Options['case'] {
  const [, kind, place = ''] = /^([a-z-]+):(\d+)$/.exec(text) ?? []
  if (kind === undefined) throw new UsageError('--case: expected KIND:N, as in bit:4711')
  return { kind: readNames('--case', kind, kinds)[0]!, place: readWhole('--case', place, 0) }
}

function readNames<T extends string>(
  option: string,
  value: string | undefined,
  all: readonly T[],
): readonly T[] {
  if (value === undefined) return all
  return value.split(',').map(word => {
    const found = all.find(each => each === word)
    if (found === undefined) throw new UsageError(`${option}: expected some of ${all.join()}`)
    return found
  })
}
