import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Files of the repository, those not yet added included and ignored ones left out, relative to its root, in order. */
export function listFiles(): string[] {
  const options = ['-z', '--cached', '--others', '--exclude-standard']
  const names = execFileSync('git', ['ls-files', ...options], { cwd: root, encoding: 'utf8' }).split('\0')
  return [...new Set(names)].filter(name => name !== '' && isFile(name)).sort()
}

/** False for a link, and for what was removed and is still in git's index. */
function isFile(name: string): boolean {
  return lstatSync(join(root, name), { throwIfNoEntry: false })?.isFile() ?? false
}

export function readText(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** The lines between a heading of a Markdown text and the next heading of its level or above. */
export function readSection(markdown: string, heading: string): string[] {
  const lines = markdown.split('\n')
  const start = lines.indexOf(heading)
  if (start < 0) return []
  const level = heading.indexOf(' ')
  const rest = lines.slice(start + 1)
  const end = rest.findIndex(line => new RegExp(`^#{1,${level}} `).test(line))
  return end < 0 ? rest : rest.slice(0, end)
}

/** The cells of a Markdown table's body, row by row; code marks are taken off. */
export function readTable(lines: readonly string[]): string[][] {
  const rows = lines.filter(line => line.startsWith('|'))
  return rows.slice(2).map(row =>
    row
      .slice(1, row.lastIndexOf('|'))
      .split(/(?<!\\)\|/)
      .map(cell => cell.trim().replaceAll('`', '')),
  )
}
