/** What was asked for cannot be: told with the usage. */
export class UsageError extends Error {}

function isUsage(error: unknown): error is Error {
  const { code = '' } = error as NodeJS.ErrnoException
  return error instanceof UsageError || String(code).startsWith('ERR_PARSE_ARGS')
}

/**
 * Runs a command of the proof with what stands behind its name, and sets the exit code: that of `main`, or 2 for wrong
 * usage. Any other error is a defect of the command, and ends the process with its stack and 1.
 * @param parse null where help is asked for; throws `UsageError`, or what `parseArgs` throws
 * @param main gives the exit code; throws `UsageError` where only a look at more than the arguments tells
 */
export async function runCommand<Options>(
  usage: string,
  parse: (args: string[]) => Options | null,
  main: (options: Options) => Promise<number>,
): Promise<void> {
  try {
    const options = parse(process.argv.slice(2))
    if (options === null) process.stdout.write(`${usage.trimEnd()}\n`)
    else process.exitCode = await main(options)
  } catch (error) {
    if (!isUsage(error)) throw error
    process.stderr.write(`${error.message}\n\n${usage.trimEnd()}\n`)
    process.exitCode = 2
  }
}
