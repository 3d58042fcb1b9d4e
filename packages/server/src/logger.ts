import { inspect } from 'node:util'
import { pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import { cleanText } from './clean-text.ts'

export const logLevels = ['info', 'warn', 'error'] as const
export const logFormats = ['text', 'json'] as const

export type LogLevel = (typeof logLevels)[number]
export type LogFormat = (typeof logFormats)[number]
export type LogFields = Readonly<Record<string, string | number | boolean>>

/**
 * The log of a server: one line for whatever its operator has to know, and none for a draw. No API key, no idempotency
 * key and no body of a request goes into it.
 */
export interface Logger {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A defect: the line, with the stack. */
  defect(message: string, error: unknown): void
}

export interface LogOptions {
  /** Lines below it are left out. Default `info`. */
  readonly level?: LogLevel
  /** `json` (default): an object a line, for programs. `text`: for people, with colours where these are wanted. */
  readonly format?: LogFormat
  readonly colors?: boolean
}

/** Writes each line at once, so that none is lost however the process ends. */
export function createLogger(write: (text: string) => void, options: LogOptions = {}): Logger {
  const { level = 'info', format = 'json', colors = false } = options
  const render = format === 'json' ? (line: string) => line : createTextFormat(colors)
  const lines = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    { write: (line: string) => write(render(line)) },
  )
  return {
    info: (message, fields = {}) => lines.info(cleanFields(fields), cleanText(message)),
    warn: (message, fields = {}) => lines.warn(cleanFields(fields), cleanText(message)),
    error: (message, fields = {}) => lines.error(cleanFields(fields), cleanText(message)),
    defect: (message, error) => lines.error({ type: 'Error', stack: stackOf(error) }, cleanText(message)),
  }
}

function createTextFormat(colorize: boolean): (line: string) => string {
  return prettyFactory({
    colorize,
    singleLine: true,
    translateTime: "UTC:yyyy-mm-dd'T'HH:MM:ss.l'Z'",
  })
}

/** A stack as lines; what it says of the error may come from outside. */
function stackOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : inspect(error)
  return stack.split('\n').map(cleanText).join('\n')
}

function cleanFields(fields: LogFields): LogFields {
  const entries = Object.entries(fields)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? cleanText(value) : value]),
  )
}
