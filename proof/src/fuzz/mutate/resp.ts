import type { Chance } from '../../chance.ts'
import { interestingNumbers, mutateBytes, words } from './bytes.ts'

const dictionary = words(
  ...[
    '\r\n',
    '\n',
    '\r',
    '*',
    '$',
    '*1\r\n',
    '*0\r\n',
    '*-1\r\n',
    '$0\r\n\r\n',
    '$-1\r\n',
    '*1\r\n$4\r\nPING\r\n',
  ],
  ...['PING\r\n', '"', "'", '\\', '\\x', '\\"', ' ', '\t', '\0', '+OK\r\n', ':1\r\n', '%1\r\n', '_\r\n'],
  ...['*65\r\n', '$65537\r\n', '*10\r\n', '*11\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
)

/** Commands as Redis clients send them. */
export function encodeCommands(commands: readonly (readonly Uint8Array[])[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const command of commands) {
    parts.push(Buffer.from(`*${command.length}\r\n`))
    for (const word of command) parts.push(Buffer.from(`$${word.length}\r\n`), word, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

/** The commands in bytes that are nothing but that, or null. */
function decodeCommands(bytes: Uint8Array): Uint8Array[][] | null {
  const text = Buffer.from(bytes).toString('latin1')
  const commands: Uint8Array[][] = []
  let at = 0
  const number = (sign: string): number => {
    const found = new RegExp(`^\\${sign}(\\d{1,6})\r\n`).exec(text.slice(at, at + 12))
    if (found === null) return -1
    at += found[0].length
    return Number(found[1])
  }
  while (at < text.length) {
    const command: Uint8Array[] = []
    for (let left = number('*'); left !== 0; left--) {
      const length = left < 0 ? -1 : number('$')
      if (length < 0 || at + length + 2 > text.length) return null
      command.push(bytes.subarray(at, at + length))
      at += length + 2
    }
    commands.push(command)
  }
  return commands
}

/** Half of the time bytes, half of the time arguments, whose lengths are then right. */
export function mutateResp(input: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  const commands = chance.happens(0.5) ? decodeCommands(input) : null
  if (commands === null || commands.length === 0) return mutateBytes(input, other, chance, dictionary)
  const command = chance.pick(commands)
  const at = chance.below(command.length + 1)
  switch (chance.below(6)) {
    case 0:
      command.splice(at, 1)
      break
    case 1:
      command.splice(at, 0, command[chance.below(command.length)] ?? Buffer.from('x'))
      break
    case 2:
      command.splice(
        at,
        1,
        Buffer.alloc(chance.pick(interestingNumbers.filter(number => number < 70_000)), 0x61),
      )
      break
    case 3:
      command.splice(at, 1, mutateBytes(command[at] ?? Buffer.from('1'), other, chance, dictionary))
      break
    case 4:
      commands.splice(chance.below(commands.length), 0, ...(decodeCommands(other) ?? []))
      break
    default:
      while (command.length < chance.pick([9, 10, 11, 63, 64, 65])) command.push(chance.pick(dictionary))
  }
  return encodeCommands(commands)
}
