import type { Disk, DiskFile } from '../../../packages/engine/src/disk/disk.ts'
import type { QuietOptions } from '../../src/sim/world/quiet-machine.ts'

type WrongDisk = NonNullable<QuietOptions['disk']>

/** A disk like another one but for some of its operations. */
function changed(disk: Disk, changes: Partial<Disk>): Disk {
  return {
    makeDirectory: path => disk.makeDirectory(path),
    list: path => disk.list(path),
    read: path => disk.read(path),
    readStart: (path, bytes) => disk.readStart(path, bytes),
    create: (path, options) => disk.create(path, options),
    open: (path, options) => disk.open(path, options),
    rename: (from, to) => disk.rename(from, to),
    remove: path => disk.remove(path),
    syncDirectory: path => disk.syncDirectory(path),
    lock: path => disk.lock(path),
    openToOthers: path => disk.openToOthers(path),
    ...changes,
  }
}

const inPlace = (disk: Disk, isSo: (path: string) => boolean): Disk => {
  const direct = new Set<string>()
  return changed(disk, {
    async create(path, options) {
      const place = path.replace(/\.tmp$/, '')
      if (!path.endsWith('.tmp') || !isSo(place)) return disk.create(path, options)
      direct.add(path)
      return disk.create(place, options)
    },
    async rename(from, to) {
      if (!direct.delete(from)) await disk.rename(from, to)
    },
  })
}

/**
 * Engines with a defect in how they use the disk, made of the right engine and a disk that leaves out, or changes, what
 * the defect would.
 */
export const wrongDisks: Readonly<Record<string, WrongDisk>> = {
  'directories are never synced': disk => changed(disk, { syncDirectory: async () => undefined }),
  'answered before it is on the device': disk =>
    changed(disk, { open: path => disk.open(path, { dataSync: false }) }),
  'files are renamed before they are synced': disk =>
    changed(disk, {
      async create(path) {
        const file = await disk.create(path, { dataSync: false })
        const unsynced: DiskFile = {
          write: (bytes, position) => file.write(bytes, position),
          sync: async () => undefined,
          close: () => file.close(),
        }
        return unsynced
      },
    }),
  'files are made under the name that they are to have': disk => inPlace(disk, () => true),
}

/** Recovery changes a segment where it stands. */
export const rewritesInPlace: WrongDisk = (disk, device) =>
  inPlace(disk, path => {
    const slash = path.lastIndexOf('/')
    return path.endsWith('.log') && device.entries(path.slice(0, slash)).has(path.slice(slash + 1))
  })
