import { isDeepStrictEqual } from 'node:util'
import { serverLimits } from '../../../../packages/server/src/limits.ts'
import { Arguments } from '../../../../packages/server/src/resp/arguments.ts'
import { CommandParser } from '../../../../packages/server/src/resp/parser.ts'
import { Chance } from '../../chance.ts'
import { encodeCommands, mutateResp } from '../mutate/resp.ts'
import { Defect, type FuzzTarget } from '../target.ts'

interface Parsed {
  readonly commands: readonly string[]
  readonly fault: string
}

/** Bytes that a command in part may be held in, for each of its own. */
const heldForEach = 4
const leastHeld = 64

const args = new Arguments()

/** Parses pieces as a connection does, and looks at what the parser holds between them. */
function parse(pieces: readonly Buffer[], known: boolean): Parsed {
  const memory = { bytes: 0 }
  const parser = new CommandParser(memory)
  parser.trust(known)
  const commands: string[] = []
  let fed = 0
  for (const piece of pieces) {
    parser.feed(piece, args)
    fed += piece.length
    while (parser.next(args)) {
      const { respArguments, respArgumentBytes } = serverLimits
      if (args.count > respArguments) throw new Defect(`${args.count} arguments`)
      const command = Array.from({ length: args.count }, (_, index) => args.copy(index).toString('latin1'))
      if (command.some(({ length }) => length > respArgumentBytes))
        throw new Defect('an argument over the limit')
      commands.push(JSON.stringify([args.inline, command]))
    }
    parser.suspend(args)
    // What is still seen of it shows: its memory is another connection's next.
    piece.fill(0x2a)
    if (memory.bytes > Math.max(leastHeld, fed * heldForEach))
      throw new Defect(`holds ${memory.bytes} bytes for ${fed} that have come`)
    if (parser.fault !== null) break
  }
  if (parser.fault !== null && (parser.amidCommand || memory.bytes > 0))
    throw new Defect('holds bytes after a fault')
  parser.release()
  if (memory.bytes !== 0) throw new Defect(`${memory.bytes} bytes are counted though all were let go`)
  return { commands, fault: parser.fault === null ? '' : `${parser.fault.code} ${parser.fault.message}` }
}

/** Each piece a copy: its memory is used again when it has been parsed. */
function cut(input: Uint8Array, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.toSorted((a, b) => a - b), input.length]
  return sorted.slice(1).map((place, index) => Buffer.from(input.subarray(sorted[index], place)))
}

/** However the bytes come in pieces, the same commands are taken out of them, and no more is held than has come. */
const resp: FuzzTarget = {
  mostBytes: 160 * 1024,
  mutate: mutateResp,
  async seeds() {
    const command = (...texts: string[]) => texts.map(text => Buffer.from(text))
    return [
      encodeCommands([command('PING')]),
      encodeCommands([
        command('DRAW', 'summer', 'COUNT', '3', 'KEY', 'k'),
        command('POOL', 'summer'),
        command(''),
      ]),
      Buffer.from(`DRAW summer COUNT 3\r\nPUTPOOL p '{"items": []}' "a\\x41\\n"\r\n\r\n*0\r\nPING\n`),
      encodeCommands([Array.from({ length: 64 }, () => Buffer.from('a'))]),
      encodeCommands([command('ECHO', 'x'.repeat(65_536))]),
    ]
  },
  async open() {
    return {
      run(input) {
        // What an input is cut into is the same whenever it is run.
        const chance = new Chance(input.length + (input[0] ?? 0) * 65_536, 'pieces')
        const known = (input[0] ?? 0) % 3 > 0
        const whole = parse(cut(input, []), known)
        const places = Array.from({ length: chance.between(1, 12) }, () => chance.below(input.length + 1))
        // Byte by byte where that is not many; all of a long one would be most of the time.
        const ways = [places, Array.from({ length: Math.min(input.length, 600) }, (_, at) => at)]
        for (const way of ways) {
          const pieces = parse(cut(input, way), known)
          if (isDeepStrictEqual(pieces, whole)) continue
          const [found, expected] = [pieces, whole].map(parsed => JSON.stringify(parsed).slice(0, 400))
          throw new Defect(
            `pieces give other commands than the whole\ncut at ${way}: ${found}\nand not ${expected}`,
          )
        }
      },
      async close() {},
    }
  },
}

export default resp
