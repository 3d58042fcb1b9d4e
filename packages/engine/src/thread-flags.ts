/**
 * For a thread's options. A thread inherits the flags that its program was started with, and Node refuses to run one
 * from a file under `--input-type`, the flag of a program that is given on the command line: there it gets none.
 */
export function threadFlags(): { execArgv?: string[] } {
  return process.execArgv.some(flag => flag.startsWith('--input-type')) ? { execArgv: [] } : {}
}
