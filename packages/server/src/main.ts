import { Command, CommanderError } from 'commander'
import { addApplyCommand } from './commands/apply.ts'
import { addBenchCommand } from './commands/bench.ts'
import { addCheckCommand } from './commands/check.ts'
import { addDrawCommand } from './commands/draw.ts'
import { addKeysCommand } from './commands/keys.ts'
import { addLogCommand } from './commands/log.ts'
import { exitCodes } from './commands/outcome.ts'
import { addPoolsCommand } from './commands/pools.ts'
import { addServeCommand } from './commands/serve.ts'
import { systemReason } from './failure.ts'
import { version } from './version.ts'

/** The commands, in the order in which the help lists them. */
const addCommands = [
  ...[addServeCommand, addDrawCommand, addPoolsCommand, addApplyCommand, addCheckCommand],
  ...[addKeysCommand, addLogCommand, addBenchCommand],
]

// A defect must not leave a process behind that half works: what was answered is in the log, and the next
// start recovers it. Rejections that nobody handles arrive here too.
process.on('uncaughtException', error => {
  process.stderr.write(
    `kuji: INTERNAL: stopped by a defect: ${error?.message ?? error}\n${error?.stack ?? ''}\n`,
  )
  process.exit(exitCodes.refused)
})

// A reader that has seen enough (`kuji pools | head -1`) is no error. Output that could not be written is
// one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return
  process.stderr.write(`kuji: INTERNAL: cannot write the output: ${systemReason(error)}\n`)
  process.exitCode = exitCodes.refused
})
// There is nobody left to tell, and a server whose log lines find a full disk goes on serving.
process.stderr.on('error', () => {})

const program = new Command('kuji')
  .description('Pools of prizes, drawn at random: exact, and durable before the answer.')
  .version(version)
  .showHelpAfterError('(--help shows the options and examples)')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'kuji: ')) })
  .addHelpText('after', '\nExit codes: 0 done, 1 refused or failed, 2 wrong usage.')
  .exitOverride()
for (const addCommand of addCommands) addCommand(program)

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage
}
