import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every file of a directory and its bytes, to show that nothing was changed. The lock's files are left out. */
export function fingerprint(directory: string): Record<string, string> {
  const files: Record<string, string> = {}
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /^lock/.test(entry.name)) continue
    files[entry.name] = readFileSync(join(entry.parentPath, entry.name)).toString('base64')
  }
  return files
}

/** Names of the plain files in a directory that match, in order. */
export function filesOf(directory: string, pattern: RegExp): string[] {
  return readdirSync(directory)
    .filter(name => pattern.test(name))
    .sort()
}

/** A copy of a data directory, without its lock. */
export function copyOf(from: string, to: string): string {
  cpSync(from, to, { recursive: true, filter: path => !/\/lock(\.holder)?$/.test(path) })
  return to
}
