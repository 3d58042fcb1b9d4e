import { accessSync, constants } from 'node:fs'
import { UsageError } from './options.ts'

interface BenchCommand<Options extends { readonly directory: string }> {
  readonly usage: string
  /** Null where help is asked for. Throws `UsageError`. */
  readonly parse: (words: string[]) => Options | null
  /** Returns the exit code. */
  readonly run: (options: Options) => Promise<number>
  /** Comes last, however the run has ended. */
  readonly clear: () => void | Promise<void>
}

/** Runs a benchmark by its command line; wrong usage, a directory that cannot be written in included, ends with 2. */
export async function runCommand<Options extends { readonly directory: string }>(
  command: BenchCommand<Options>,
): Promise<void> {
  const { usage, parse, run, clear } = command
  try {
    const options = parse(process.argv.slice(2))
    if (options === null) process.stdout.write(usage)
    else {
      accessSync(options.directory, constants.W_OK)
      process.exitCode = await run(options)
    }
  } catch (error) {
    const isUsage = error instanceof UsageError || (error as NodeJS.ErrnoException).syscall === 'access'
    process.stderr.write(isUsage ? `${(error as Error).message}\n\n${usage}` : `${(error as Error).stack}\n`)
    process.exitCode = isUsage ? 2 : 1
  } finally {
    await clear()
  }
}
