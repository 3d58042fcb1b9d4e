import { inspect } from 'node:util'
import { pino } from 'pino'
import { prettyFactory } from 'pino-pretty'

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
    info: (message, fields = {}) => lines.info(cleanFields(fields), clean(message)),
    warn: (message, fields = {}) => lines.warn(cleanFields(fields), clean(message)),
    error: (message, fields = {}) => lines.error(cleanFields(fields), clean(message)),
    defect: (message, error) => lines.error({ type: 'Error', stack: stackOf(error) }, clean(message)),
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
  return stack.split('\n').map(clean).join('\n')
}

// A value from outside must not be able to forge a line, to send control sequences to a terminal, or to turn the
// direction in which a line is read.
const clean = (text: string) =>
  text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, character => {
    const code = character.codePointAt(0)!.toString(16).padStart(4, '0')
    return `\\u${code}`
  })

function cleanFields(fields: LogFields): LogFields {
  const entries = Object.entries(fields)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? clean(value) : value]),
  )
}
