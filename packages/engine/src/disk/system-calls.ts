import * as fs from 'node:fs'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'

/** The system calls that a disk is made of, each either blocking its thread or run in libuv's pool. */
export interface SystemCalls {
  open(path: string, flags: number, mode: number): Promise<number> | number
  /** Writes bytes, perhaps not all of them, and returns how many. */
  write(descriptor: number, bytes: Uint8Array, position: number): Promise<number> | number
  /** Reads the bytes of a file from an offset on to the same place in `bytes`, perhaps not all. 0 at its end. */
  read(descriptor: number, bytes: Uint8Array, from: number): Promise<number> | number
  size(descriptor: number): Promise<number> | number
  sync(descriptor: number): Promise<void> | void
  close(descriptor: number): Promise<void> | void
  list(path: string): Promise<fs.Dirent[]> | fs.Dirent[]
  status(path: string): Promise<fs.Stats> | fs.Stats
  /** Returns the first directory that it made, or nothing where all were there. */
  makeDirectory(path: string): Promise<string | undefined> | string | undefined
  rename(from: string, to: string): Promise<void> | void
  remove(path: string): Promise<void> | void
}

/** Bytes of one call: Node takes fewer than 2 GiB, and Linux moves no more. Whoever wants more calls again. */
const callBytesMost = 2 ** 30

function cap(bytes: number): number {
  return Math.min(bytes, callBytesMost)
}

interface DirectoryCalls extends Pick<SystemCalls, 'status'> {
  make(path: string): Promise<void> | void
}

const mode = 0o700

/**
 * Makes a directory and those above it that are not there, step by step. The recursive mkdir of Node takes any ENOENT
 * for a missing directory above, and tries for ever where the kernel means that none can be made there (/proc).
 */
async function makeDirectories(path: string, calls: DirectoryCalls): Promise<string | undefined> {
  const missing: string[] = []
  for (let at = resolve(path); !(await isThere(at, calls)); at = dirname(at)) missing.unshift(at)
  for (const at of missing) {
    try {
      await calls.make(at)
    } catch (error) {
      // Another process may have made it meanwhile.
      if (!(await isDirectory(at, calls))) throw error
    }
  }
  return missing[0]
}

/** Throws where something that is no directory stands in the way, as making it anew would. */
async function isThere(path: string, calls: DirectoryCalls): Promise<boolean> {
  try {
    if ((await calls.status(path)).isDirectory()) return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return false
  }
  await calls.make(path)
  return true
}

async function isDirectory(path: string, calls: DirectoryCalls): Promise<boolean> {
  try {
    return (await calls.status(path)).isDirectory()
  } catch {
    return false
  }
}

/** For the helper thread, which has nothing else to do and must not take a place in the pool. */
export const blockingCalls: SystemCalls = {
  open: fs.openSync,
  write: (descriptor, bytes, position) => fs.writeSync(descriptor, bytes, 0, cap(bytes.length), position),
  read: (descriptor, bytes, from) => fs.readSync(descriptor, bytes, from, cap(bytes.length - from), from),
  size: descriptor => fs.fstatSync(descriptor).size,
  sync: fs.fsyncSync,
  close: fs.closeSync,
  list: path => fs.readdirSync(path, { withFileTypes: true }),
  status: path => fs.statSync(path),
  makeDirectory: path =>
    makeDirectories(path, { status: fs.statSync, make: at => void fs.mkdirSync(at, mode) }),
  rename: fs.renameSync,
  remove: fs.unlinkSync,
}

/** For the thread that answers requests. */
export const pooledCalls: SystemCalls = {
  open: promisify<string, number, number, number>(fs.open),
  write: (descriptor, bytes, position) =>
    new Promise((resolve, reject) => {
      fs.write(descriptor, bytes, 0, cap(bytes.length), position, (error, written) => {
        if (error === null) resolve(written)
        else reject(error)
      })
    }),
  read: (descriptor, bytes, from) =>
    new Promise((resolve, reject) => {
      fs.read(descriptor, bytes, from, cap(bytes.length - from), from, (error, count) => {
        if (error === null) resolve(count)
        else reject(error)
      })
    }),
  size: async descriptor => (await promisify(fs.fstat)(descriptor)).size,
  sync: promisify(fs.fsync),
  close: promisify(fs.close),
  list: path => fs.promises.readdir(path, { withFileTypes: true }),
  status: path => fs.promises.stat(path),
  makeDirectory: path =>
    makeDirectories(path, {
      status: at => fs.promises.stat(at),
      make: async at => {
        await fs.promises.mkdir(at, mode)
      },
    }),
  rename: fs.promises.rename,
  remove: fs.promises.unlink,
}
