import type { Command } from './command.ts'
import { connectionCommands } from './connection-commands.ts'
import { drawCommand } from './draw-command.ts'
import { poolCommands } from './pool-commands.ts'
import { serverCommands } from './server-commands.ts'

/** Every command by its name in capital letters. */
export function createCommands(): ReadonlyMap<string, Command> {
  const table = new Map<string, Command>()
  const add = (commands: readonly Command[]) => {
    for (const command of commands) table.set(command.name, command)
  }
  add([drawCommand])
  add(poolCommands)
  add(connectionCommands)
  add(serverCommands(table))
  return table
}
