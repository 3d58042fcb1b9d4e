import { inspect } from 'node:util'

export type LogFields = Readonly<Record<string, string | number | boolean>>

/** Plain lines for people: time, level, message, fields. */
export interface Logger {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A defect: the line, and the stack below it. */
  defect(message: string, error: unknown): void
}

export function createLogger(write: (text: string) => void): Logger {
  const line = (level: string, message: string, fields: LogFields = {}) => {
    const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${format(value)}`)
    write(`${new Date().toISOString()} ${level.padEnd(5)} ${oneLine(message)}${pairs.join('')}\n`)
  }
  return {
    info: (message, fields) => line('info', message, fields),
    warn: (message, fields) => line('warn', message, fields),
    error: (message, fields) => line('error', message, fields),
    defect(message, error) {
      line('error', message)
      write(`${error instanceof Error ? error.stack : inspect(error)}\n`)
    },
  }
}

// A value from outside must not be able to forge a line, or to send control sequences to a terminal.
const oneLine = (text: string) =>
  text.replaceAll(/\p{Cc}+/gu, characters => JSON.stringify(characters).slice(1, -1))

const format = (value: string | number | boolean) =>
  typeof value === 'string' && !/^[\w./:@-]+$/.test(value) ? JSON.stringify(value) : String(value)
