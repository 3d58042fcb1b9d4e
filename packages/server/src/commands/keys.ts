import { type Command, InvalidArgumentError } from 'commander'
import { createKey, hashKey, keyNameForm, keyNamePattern } from '../access/api-key.ts'
import { type Scope, scopes } from '../access/caller.ts'
import { command, printJson } from './outcome.ts'

interface Options {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly json?: true
}

const examples = `
Examples:
  kuji keys new --name shop --scopes draw,read
  kuji keys new --name ops --scopes draw,read,admin --json

The key is printed once and kept nowhere; the configuration has its hash, under apiKeys.`

export function addKeysCommand(program: Command): void {
  const keys = program.command('keys').description('Make API keys.')
  keys
    .command('new')
    .description('Make an API key, and its entry for the configuration.')
    .requiredOption('--name <name>', 'whose key it is, for the log', parseName)
    .requiredOption('--scopes <list>', `what it may do, of ${scopes.join(', ')}`, parseScopes)
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(
      command(async ({ name, scopes: held, json }: Options) => {
        const key = createKey()
        const entry = { name, hash: hashKey(key), scopes: held }
        if (json) printJson({ key, entry })
        else process.stdout.write(describeKey(key, entry))
      }),
    )
}

function describeKey(key: string, entry: { name: string; hash: string; scopes: readonly Scope[] }): string {
  const { name, hash, scopes: held } = entry
  return (
    `${key}\n\n` +
    'This is shown once: keep it where the caller finds it. The configuration gets its hash:\n\n' +
    `apiKeys:\n  - name: "${name}"\n    hash: ${hash}\n    scopes: [${held.join(', ')}]\n`
  )
}

function parseName(text: string): string {
  if (new RegExp(keyNamePattern).test(text)) return text
  throw new InvalidArgumentError(`expected ${keyNameForm}.`)
}

function parseScopes(text: string): Scope[] {
  const named = new Set(text.split(',').map(part => part.trim()))
  const held = scopes.filter(scope => named.delete(scope))
  if (named.size === 0) return held
  throw new InvalidArgumentError(`expected a list of ${scopes.join(', ')}, like draw,read.`)
}
