/** One line of a server's log, as `log: { format: json }` writes it. */
export interface LogLine {
  readonly level: string
  readonly time: string
  readonly msg: string
  readonly [field: string]: unknown
}

/** The lines of a log. Whatever is no JSON makes it throw. */
export function readLog(text: string): LogLine[] {
  const lines = text.split('\n').filter(line => line !== '')
  return lines.map(line => JSON.parse(line) as LogLine)
}
