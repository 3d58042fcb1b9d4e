import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { serverLimits } from '../src/limits.ts'
import { Arguments } from '../src/resp/arguments.ts'
import { CommandParser } from '../src/resp/parser.ts'
import { encode } from './support/resp-client.ts'

interface Parsed {
  readonly commands: string[][]
  readonly fault: string | undefined
  /** What the parser holds when all pieces are in. */
  readonly heldBytes: number
}

/** Parses pieces the way a connection does; another connection's commands come between any two of them. */
function parse(pieces: readonly Buffer[], known = true): Parsed {
  const memory = { bytes: 0 }
  const args = new Arguments()
  const parser = new CommandParser(memory)
  const other = new CommandParser({ bytes: 0 })
  parser.trust(known)
  const commands: string[][] = []
  for (const piece of pieces) {
    parser.feed(piece, args)
    while (parser.next(args)) {
      const words = Array.from({ length: args.count }, (_, index) => args.copy(index).toString('latin1'))
      if (words.length > 0) commands.push(words)
    }
    parser.suspend(args)
    if (parser.fault !== null) break
    other.feed(encode('PING', 'between', 'two', 'pieces'), args)
    while (other.next(args));
    other.suspend(args)
  }
  const fault = parser.fault === null ? undefined : `${parser.fault.code} ${parser.fault.message}`
  return { commands, fault, heldBytes: memory.bytes }
}

const parseText = (text: string, known = true) => parse([Buffer.from(text, 'latin1')], known)

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map(place => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return sorted.slice(1).map((place, index) => bytes.subarray(sorted[index], place))
}

const word = fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes))
const command = fc.array(word, { minLength: 1, maxLength: 8 })

test('however the bytes are cut, the same commands come out', () => {
  fc.assert(
    fc.property(
      fc.array(command, { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      (sent, places) => {
        const bytes = Buffer.concat(sent.map(words => encode(...words)))
        const expected = sent.map(words => words.map(bytesOfWord => bytesOfWord.toString('latin1')))
        const whole = parse(cut(bytes, places))
        assert.deepEqual(whole, { commands: expected, fault: undefined, heldBytes: 0 })
        const byteByByte = parse([...bytes].map(byte => Buffer.from([byte])))
        assert.deepEqual(byteByByte, whole)
      },
    ),
    { seed: 1, numRuns: 300 },
  )
})

test('random bytes never throw, and mean the same however they are cut', () => {
  const likely = fc.constantFrom(
    ...'*$0123456789\r\n"\' abcPING-+:'.split(''),
    '\r\n',
    '*1\r\n',
    '$4\r\nPING\r\n',
  )
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)),
    fc.array(likely, { maxLength: 60 }).map(pieces => Buffer.from(pieces.join(''), 'latin1')),
  )
  fc.assert(
    fc.property(noise, fc.array(fc.nat(), { maxLength: 20 }), (bytes, places) => {
      const whole = parse([bytes])
      const pieces = parse(cut(bytes, places))
      assert.deepEqual([pieces.commands, pieces.fault], [whole.commands, whole.fault])
      assert.ok(pieces.heldBytes <= Math.max(64, bytes.length * 4), `${pieces.heldBytes} held`)
    }),
    { seed: 1, numRuns: 2000 },
  )
})

test('what is announced is not allocated, and too much of it is refused at once', () => {
  const faults: readonly [string, RegExp][] = [
    ['*65\r\n', /^TOO_LARGE Protocol error: more than 64 arguments/],
    [`*${2n ** 62n}\r\n`, /^TOO_LARGE .*64 arguments/],
    ['*1\r\n$65537\r\n', /^TOO_LARGE .*65536 bytes/],
    [`*1\r\n$${2n ** 62n}\r\n`, /^TOO_LARGE .*65536 bytes/],
    [`*1\r\n$${'9'.repeat(400)}`, /^TOO_LARGE .*65536 bytes/],
    ['*-1\r\n', /^INVALID Protocol error: expected a number/],
    ['*+1\r\n', /^INVALID .*a number/],
    ['*\r\n', /^INVALID .*a number/],
    ['*01\r\n', /^INVALID .*begins with 0/],
    ['*1 \r\n', /^INVALID .*a number/],
    ['*1x', /^INVALID .*a number/],
    ['*1\rx', /^INVALID .*line feed/],
    ['*1.0\r\n', /^INVALID .*a number/],
    ['*0x1\r\n', /^INVALID .*a number/],
    ['*1\n$4\r\nPING\r\n', /^INVALID .*a number/],
    ['*1\r\n$-1\r\n', /^INVALID .*a number/],
    ['*1\r\n$00\r\n', /^INVALID .*begins with 0/],
    ['*1\r\n$\r\n', /^INVALID .*a number/],
    ['*1\r\n:4\r\n', /^INVALID .*expected '\$'/],
    ['*1\r\n*1\r\n$4\r\nPING\r\n', /^INVALID .*expected '\$'/],
    ['*1\r\n$4\r\nPINGxx', /^INVALID .*does not end where its length says/],
    ['*1\r\n$3\r\nPING\r\n', /^INVALID .*does not end where its length says/],
    ['PING "hello\r\n', /^INVALID .*unbalanced quotes/],
    ["PING 'hello'there\r\n", /^INVALID .*unbalanced quotes/],
    [`${'a '.repeat(65)}\r\n`, /^TOO_LARGE .*64 arguments/],
    ['a'.repeat(65_537), /^TOO_LARGE .*a line of more than 65536 bytes/],
  ]
  for (const [text, expected] of faults) {
    const { commands, fault, heldBytes } = parseText(text)
    assert.match(fault ?? 'no fault', expected, JSON.stringify(text.slice(0, 60)))
    assert.deepEqual([commands, heldBytes], [[], 0])
  }
})

test('whoever has given no key yet may send less', () => {
  assert.match(parseText('*11\r\n', false).fault!, /^TOO_LARGE .*more than 10 arguments/)
  assert.match(parseText('*1\r\n$16385\r\n', false).fault!, /^TOO_LARGE .*16384 bytes/)
  assert.match(parseText('a'.repeat(16_385), false).fault!, /^TOO_LARGE .*16384 bytes/)
  const words = Array.from({ length: 10 }, () => 'a'.repeat(16_384))
  assert.deepEqual(parse([encode(...words)], false).commands, [words])
})

test('the largest command passes, and a byte or an argument more does not', () => {
  const words = Array.from({ length: 64 }, () => 'a'.repeat(65_536))
  assert.deepEqual(parse([encode(...words)]).commands, [words])
  assert.match(parse([encode('a'.repeat(65_537))]).fault!, /^TOO_LARGE/)
  assert.match(parse([encode('ECHO', 'a'.repeat(1_000_000))]).fault!, /^TOO_LARGE/)
  assert.match(parse([encode(...words, 'a')]).fault!, /^TOO_LARGE/)
})

test('a line that is too long and has control characters is refused for what comes first, however it is cut', () => {
  const most = serverLimits.respArgumentBytes
  for (const [control, fault] of [
    [most - 1, /^INVALID .*control characters/],
    [most, /^TOO_LARGE .*a line of more than/],
  ] as const) {
    const bytes = Buffer.from(`${'a'.repeat(control)}\x01${'a'.repeat(most)}\r\n`)
    for (const places of [[], [most], [control + 1], [most + 9], [100, most + 1, most + 2]])
      assert.match(parse(cut(bytes, places)).fault ?? '', fault, `cut at ${places}`)
  }
})

test('commands before a fault are taken, those behind it are not', () => {
  const { commands, fault } = parseText('*1\r\n$4\r\nPING\r\n*x\r\n*1\r\n$4\r\nPING\r\n')
  assert.deepEqual(commands, [['PING']])
  assert.match(fault!, /^INVALID/)
})

test('an argument may hold any bytes, none at all included', () => {
  const words = ['ECHO', '', '\0\0', '\r\n', '*1\r\n$4\r\nPING\r\n', '\xff\xfe']
  const bytes = encode(...words.map(text => Buffer.from(text, 'latin1')))
  assert.deepEqual(parse([bytes]).commands, [words])
})

test('lines are split into words as people type them', () => {
  const lines: readonly [string, string[][]][] = [
    ['PING\r\n', [['PING']]],
    ['PING\n', [['PING']]],
    ['  DRAW \t summer  COUNT 3 \r\n', [['DRAW', 'summer', 'COUNT', '3']]],
    ['\r\n\r\n \r\nPING\r\n\r\n', [['PING']]],
    [`PUTPOOL p '{"items": [1, 2]}'\r\n`, [['PUTPOOL', 'p', '{"items": [1, 2]}']]],
    [`ECHO "it's" ''\r\n`, [['ECHO', "it's", '']]],
    ['*0\r\nPING\r\n', [['PING']]],
    ['PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n', [['PING'], ['PING'], ['PING']]],
  ]
  for (const [text, expected] of lines) assert.deepEqual(parseText(text).commands, expected, text)
})

test('the bytes of a command that arrives one by one are copied a few times each, however long it is', () => {
  // A parser that began anew with each piece would look at 2,000 million bytes here, and take seconds.
  const bytes = encode('ECHO', 'x'.repeat(serverLimits.respArgumentBytes))
  const memory = { bytes: 0 }
  const args = new Arguments()
  const parser = new CommandParser(memory)
  parser.trust(true)
  let most = 0
  for (let at = 0; at < bytes.length; at++) {
    parser.feed(bytes.subarray(at, at + 1), args)
    assert.equal(parser.next(args), at === bytes.length - 1)
    parser.suspend(args)
    most = Math.max(most, memory.bytes)
  }
  assert.ok(most <= bytes.length * 2, `${most} bytes for ${bytes.length}`)
  assert.equal(memory.bytes, 0)
})

test('large commands in part are refused when there are too many of them, small ones never', () => {
  const memory = { bytes: serverLimits.respPartialBytes }
  const args = new Arguments()
  const large = new CommandParser(memory)
  large.trust(true)
  large.feed(Buffer.from(`*2\r\n$4\r\nECHO\r\n$60000\r\n${'x'.repeat(30_000)}`), args)
  assert.equal(large.next(args), false)
  large.suspend(args)
  assert.equal(large.fault?.code, 'OVERLOADED')
  const small = new CommandParser(memory)
  small.feed(Buffer.from('*2\r\n$4\r\nDRAW\r\n$6\r\nsum'), args)
  assert.equal(small.next(args), false)
  small.suspend(args)
  assert.equal(small.fault, null)
  small.feed(Buffer.from('mer\r\n'), args)
  assert.equal(small.next(args), true)
  assert.equal(args.id(1), 'summer')
  small.suspend(args)
  assert.equal(memory.bytes, serverLimits.respPartialBytes)
})
