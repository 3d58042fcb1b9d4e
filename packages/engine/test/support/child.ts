import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A child process that runs a module of this package's tests, and the lines it prints. */
export interface Child {
  readonly process: ChildProcessWithoutNullStreams
  readonly lines: AsyncIterator<string>
  readonly stderr: () => string
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

/**
 * Runs a program given on the command line, as `node --input-type=module -e …` does, so that every test with a child
 * also shows that the engine's threads start there; `shell` is put before it, for limits.
 */
export function runChild(source: string, options: { shell?: string } = {}): Child {
  const command = [process.execPath, '--conditions=source', '--input-type=module-typescript', '-e', source]
  const [file, ...rest] =
    options.shell === undefined ? command : ['sh', '-c', `${options.shell}; exec "$@"`, 'sh', ...command]
  const child = spawn(file!, rest, { cwd: import.meta.dirname })
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => {
    stderr += text
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = new Promise<number | string>(resolve =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? '')),
  )
  return { process: child, lines, stderr: () => stderr, ended }
}

/** The next line; a child that ends without one fails the test with what it said. */
export async function nextLine(child: Child): Promise<string> {
  const { value, done } = await child.lines.next()
  if (done) throw new Error(`the child has ended: ${child.stderr()}`)
  return value
}
