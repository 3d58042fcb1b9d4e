import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as bitFlips from '../src/bit-flips/options.ts'
import { UsageError } from '../src/command/command.ts'
import { readRange, readWhole } from '../src/command/numbers.ts'
import * as crashPoints from '../src/crash-points/options.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

function run(name: string, args: string) {
  const command = ['--conditions=source', `proof/src/${name}/main.ts`, ...args.split(' ')]
  return spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' })
}

/** By command: arguments that it refuses, and what it says of them. */
const refused = {
  'crash-points': [
    ['--script toString', /^--script: there is no toString$/],
    ['--sectors 1024', /^--sectors: expected 512 or 4096$/],
    ['--second -1', /argument is ambiguous/],
    ['--second some', /^--second: expected a whole number from 0$/],
    ['--jobs 0', /^--jobs: expected a whole number from 1$/],
    ['--seed 1 --seeds 1..2', /^--seed or --seeds, not both$/],
    ['--seeds 4..1', /^--seeds: expected A\.\.B/],
    ['--seeds 1..9007199254740991', /^--seeds: expected at most/],
    ['--crash 3:0x1 --script draws --seed 1', /^--crash: goes with --script, --seed and --sectors$/],
    ['--crash 3 --script draws --seed 1 --sectors 512', /^--crash: expected P:K/],
    ['--crash 3:0x1 --second 9 --script draws --seed 1 --sectors 512', /^--second: looks at many/],
    ['--second-crash 3:0x1', /^--second-crash: goes with --crash$/],
    ['more', /Unexpected argument/],
  ],
  'bit-flips': [
    ['--case bit', /^--case: expected KIND:N/],
    ['--case bit:abc', /^--case: expected KIND:N/],
    ['--case byte:1', /^--case: expected some of bit,/],
    ['--case bit:99999999999999999', /^--case: expected a whole number/],
    ['--case bit:1 --stride 2', /^--case: is one of one kind/],
    ['--stride 0', /^--stride: expected a whole number from 1$/],
    ['--stride 1e3', /^--stride: expected a whole number from 1$/],
    ['--kinds bit,toString', /^--kinds: expected some of/],
    ['--ends ', /^--ends: expected some of/],
    ['--log-bytes 1000', /^--log-bytes: expected a multiple of 16384/],
  ],
} as const
const parsers = { 'crash-points': crashPoints.parseOptions, 'bit-flips': bitFlips.parseOptions }

for (const [name, cases] of Object.entries(refused))
  suite(`npm run ${name} refuses`, () => {
    const parse = parsers[name as keyof typeof parsers]
    for (const [args, says] of cases)
      test(args, () => {
        assert.throws(() => parse(args.split(' ')), { message: says })
      })
    test('nothing of --help', () => assert.equal(parse(['--help']), null))
  })

suite('what only a look at the case itself tells', () => {
  const crash = '--script draws --seed 1 --sectors 512 --crash'
  for (const [name, args, says] of [
    ['bit-flips', '--case bit:99999999999', /^--case: bit has cases 0 to 803583\n/],
    ['crash-points', `${crash} 999:0x0`, /^--crash: there are moments 0 to 56\n/],
    ['crash-points', `${crash} 0:0xfff`, /^--crash: moment 0 has 0x0 to 0x/],
    ['crash-points', `${crash} 0:0x0 --second-crash 999:0x0`, /^--second-crash: there are moments 0 to/],
  ] as const)
    test(`${args}: exit code 2, and the usage`, () => {
      const { status, stderr } = run(name, args)
      assert.match(stderr, says)
      assert.match(stderr, new RegExp(`\\n\\n.*npm run ${name} -- `, 's'))
      assert.equal(status, 2)
    })
})

test('numbers of a command line are whole, in digits, and no larger than a number can be', () => {
  assert.equal(readWhole('--n', '007'), 7)
  assert.equal(readWhole('--n', '0', 0), 0)
  for (const text of ['', ' ', '0', '-1', '1.5', '1e3', '0x10', '1 ', 'Infinity', '9007199254740992'])
    assert.throws(() => readWhole('--n', text), UsageError, text)
  assert.deepEqual(readRange('--r', '3..3'), [3, 3])
  for (const text of ['', '1', '1..', '..2', '2..1', '0..1', '1...2', '1..2..3', '1..9007199254740992'])
    assert.throws(() => readRange('--r', text), UsageError, text)
})
