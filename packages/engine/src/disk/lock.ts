import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { KujiError } from '../contract/index.ts'
import type { DiskLock } from './disk.ts'

/**
 * One process per directory. The lock is an exclusive transaction kept open on a tiny SQLite file, which is an fcntl
 * lock: the kernel drops it when the process ends, however it ends, and keeps it across containers. (Node has no
 * flock, and a file that merely exists outlives its maker.) The name of the holder stands beside it.
 */
export function lockDirectory(directory: string): DiskLock {
  const holderPath = join(directory, 'lock.holder')
  const path = join(directory, 'lock')
  // Not where it exists: the kernel drops a process's fcntl locks on a file when the process closes that file anywhere,
  // so a second `open` in this process would give away the lock of the first.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    // SQLITE_BUSY; anything else is the file system's own refusal.
    if ((cause as { errcode?: number }).errcode !== 5) throw cause
    throw lockedError(directory, holderPath)
  }
  const holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() }
  try {
    writeFileSync(holderPath, `${JSON.stringify(holder)}\n`, { mode: 0o600 })
  } catch (error) {
    database.close()
    throw error
  }
  return {
    async release() {
      database.close()
    },
  }
}

function lockedError(directory: string, holderPath: string): KujiError {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(holderPath, 'utf8')) as Record<
      string,
      string | number
    >
    const who = `process ${pid} on ${host}, since ${since}`
    return new KujiError('LOCKED', `${directory} is open in ${who}`, { directory, holder: who })
  } catch {
    return new KujiError('LOCKED', `${directory} is open in another process`, { directory })
  }
}
