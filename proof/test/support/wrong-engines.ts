import type { DrawOptions, Kuji } from '@kuji/engine'
import type { Disk, DiskFile } from '../../../packages/engine/src/disk/disk.ts'
import type { RecordOptions } from '../../src/crash-points/recording.ts'

type WrongDisk = NonNullable<RecordOptions['disk']>

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

const neverSynced = (file: DiskFile): DiskFile => ({
  write: (bytes, position) => file.write(bytes, position),
  sync: async () => undefined,
  close: () => file.close(),
})

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

/** An engine that has started knows no key from before: such a request is drawn once more. */
function forgetKeys(kuji: Kuji): Kuji {
  const draw: Kuji['draw'] = (pool, { key, ...rest }: DrawOptions = {}) =>
    kuji.draw(pool, { ...rest, ...(key === undefined ? {} : { key: `${key}, since the start` }) })
  return new Proxy(kuji, {
    get(_, name) {
      const member: unknown = Reflect.get(kuji, name, kuji)
      if (name === 'draw') return draw
      return typeof member === 'function' ? member.bind(kuji) : member
    },
  })
}

/**
 * Engines with a defect, made of the right engine and something around it, most of them a disk that leaves out, or
 * changes, what the defect would.
 */
export const wrongEngines: Readonly<Record<string, Pick<RecordOptions, 'disk' | 'restarted'>>> = {
  'no start knows the keys from before': { restarted: forgetKeys },
  'directories are never synced': {
    disk: disk => changed(disk, { syncDirectory: async () => undefined }),
  },
  'answered before it is on the device': {
    disk: disk => changed(disk, { open: path => disk.open(path, { dataSync: false }) }),
  },
  'files are renamed before they are synced': {
    disk: disk =>
      changed(disk, {
        create: async path => neverSynced(await disk.create(path, { dataSync: false })),
      }),
  },
  'files are made under the name that they are to have': { disk: disk => inPlace(disk, () => true) },
}

const split = (path: string): [directory: string, name: string] => {
  const slash = path.lastIndexOf('/')
  return [path.slice(0, slash), path.slice(slash + 1)]
}

/** Disks on which only a start over files that are there goes wrong: what a first crash leaves is right. */
export const wrongRestarts: Readonly<Record<string, WrongDisk>> = {
  'recovery changes a file in place': (disk, device) =>
    inPlace(disk, path => {
      const [directory, name] = split(path)
      return path.endsWith('.log') && device.entries(directory).has(name)
    }),
  'the next file is made ready behind a start without a sync': (disk, device) => {
    const isRestart = [...device.filesBelow('/data').keys()].some(name => name.endsWith('.log'))
    return changed(disk, {
      async create(path, options) {
        const [directory, name] = split(path.replace(/\.tmp$/, ''))
        if (!isRestart || device.entries(directory).has(name)) return disk.create(path, options)
        return neverSynced(await disk.create(path, { dataSync: false }))
      },
    })
  },
}
