import assert from 'node:assert/strict'
import { type ExecFileOptions, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { listFiles, root } from './repository.ts'

/** A fenced block of a document. */
export interface Block {
  readonly language: 'sh' | 'ts'
  /** From `<!-- run: NAME -->` above it. */
  readonly name: string | undefined
  readonly line: number
  /** Where lines begin with `$ `, those alone: the others show what comes out. */
  readonly text: string
}

/** All sh and ts blocks of a document. */
export function findBlocks(markdown: string): Block[] {
  const pattern = /^(?:<!-- run: (?<name>[\w-]+) -->\n+)?```(?<language>sh|ts)\n(?<body>[\s\S]*?)^```$/gm
  return [...markdown.matchAll(pattern)].map(match => {
    const { name, language, body = '' } = match.groups!
    const commands = body.split('\n').filter(text => text.startsWith('$ '))
    const text = commands.length === 0 ? body : commands.map(command => command.slice(2)).join('\n')
    const line = markdown.slice(0, match.index).split('\n').length
    return { language: language as Block['language'], name, line, text }
  })
}

const usualAddress = '127.0.0.1:7070'

// What the document leaves out because it is so by default: a refusal ends the block, and the server is this one.
const shellStart = `
set -euo pipefail
curl() { command curl --fail-with-body "$@"; }
npx() {
  case " $* " in
    *' --dir '* | *' --server '*) command npx "$@" ;;
    ' kuji draw '* | ' kuji pools '*) command npx "$@" --server "http://$KUJI_ADDRESS" ;;
    *) command npx "$@" ;;
  esac
}
`

/** A copy of the repository, with the Node that the repository pins first on the PATH, and a server with its sample. */
export class ReadmeSession {
  readonly #directory: string
  #address = ''
  /** Ends the server that runs. */
  #end: () => Promise<unknown> = async () => undefined
  readonly #env: NodeJS.ProcessEnv

  private constructor(directory: string) {
    this.#directory = directory
    const path = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
    this.#env = { ...process.env, PATH: path }
  }

  static start(context: TestContext): ReadmeSession {
    const parent = mkdtempSync(join(tmpdir(), 'kuji-readme-'))
    const directory = join(parent, 'kuji')
    const session = new ReadmeSession(directory)
    context.after(async () => {
      await session.#end()
      rmSync(parent, { recursive: true, force: true })
    })
    for (const file of listFiles()) {
      mkdirSync(dirname(join(directory, file)), { recursive: true })
      cpSync(join(root, file), join(directory, file))
    }
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
    return session
  }

  /** Serves the sample that `npm start` has until the test ends, on any ports: the usual ones may be a neighbour's. */
  async serve(sample: string): Promise<void> {
    assert.ok(sample.includes(usualAddress))
    const moved = sample.replaceAll(/127\.0\.0\.1:70\d\d/g, '127.0.0.1:0')
    writeFileSync(join(this.#directory, 'sample.yaml'), moved)
    const child = spawn('kuji', ['serve', 'sample.yaml'], { cwd: this.#directory, env: this.#env })
    let output = ''
    const listening = new Promise<string>((resolve, reject) => {
      child.once('close', () => reject(new Error(`the server has ended:\n${output}`)))
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text
          const [, address] = /listens on http:\/\/(\S+)\n/.exec(output) ?? []
          if (address !== undefined) resolve(address)
        })
      }
    })
    const ended = once(child, 'close')
    this.#end = () => {
      child.kill('SIGTERM')
      return ended
    }
    this.#address = await listening
    this.#env.KUJI_ADDRESS = this.#address
  }

  /** Runs a block to its end. It fails the test where it exits with anything but 0. */
  async run({ language, line, name, text }: Block): Promise<void> {
    const place = `README.md:${line}${name === undefined ? '' : ` (${name})`}`
    const run = promisify(execFile)
    const options = { cwd: this.#directory, env: this.#env, timeout: 600_000 }
    const adapted = text.replaceAll(usualAddress, this.#address)
    const running =
      language === 'sh'
        ? run('bash', ['-c', shellStart + adapted], options)
        : this.#runProgram(adapted, `lottery-${line}.ts`, options)
    await running.catch((error: { message: string; stdout?: string; stderr?: string }) =>
      assert.fail(`${place}: ${error.message}\n${error.stdout}\n${error.stderr}`),
    )
  }

  /** Where the document says, beside the server and the data that it has open, and by the command that it gives. */
  async #runProgram(text: string, name: string, options: ExecFileOptions): Promise<unknown> {
    writeFileSync(join(this.#directory, name), text)
    return promisify(execFile)('npx', ['node', '--conditions=source', name], options)
  }
}
