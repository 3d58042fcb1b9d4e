import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const sizeBytes = 48 * 1024 * 1024
const tmpfsBytes = 24 * 1024 * 1024

/**
 * A small file system of a campaign's own, to be filled, frozen and broken: ext4 on a loop device where that is
 * permitted, otherwise a tmpfs, which can be filled and made read-only.
 */
export class Device {
  readonly kind: 'ext4' | 'tmpfs'
  readonly #mountPoint: string
  readonly #image: string
  #frozen = false

  private constructor(kind: 'ext4' | 'tmpfs', mountPoint: string, image: string) {
    this.kind = kind
    this.#mountPoint = mountPoint
    this.#image = image
  }

  /** Null where mounting is not permitted. */
  static mount(mountPoint: string): Device | null {
    mkdirSync(mountPoint, { recursive: true })
    const image = `${mountPoint}.ext4`
    closeSync(openSync(image, 'w'))
    truncateSync(image, sizeBytes)
    if (run('mkfs.ext4', '-q', image) && run('mount', '-o', 'loop', image, mountPoint))
      return new Device('ext4', mountPoint, image)
    rmSync(image)
    if (run('mount', '-t', 'tmpfs', '-o', `size=${tmpfsBytes}`, 'tmpfs', mountPoint))
      return new Device('tmpfs', mountPoint, '')
    return null
  }

  /** Takes all the room there is. */
  fill(): void {
    const file = openSync(join(this.#mountPoint, 'ballast'), 'w')
    try {
      // Ever smaller pieces, so that nothing is left.
      for (let bytes = 1024 * 1024; bytes >= 512; ) {
        try {
          if (writeSync(file, Buffer.alloc(bytes, 1)) < bytes) bytes /= 2
        } catch {
          bytes /= 2
        }
      }
    } finally {
      closeSync(file)
    }
  }

  makeRoom(): void {
    rmSync(join(this.#mountPoint, 'ballast'), { force: true })
  }

  makeReadOnly(): void {
    execFileSync('mount', ['-o', 'remount,ro', this.#mountPoint])
  }

  makeWritable(): void {
    execFileSync('mount', ['-o', 'remount,rw', this.#mountPoint])
  }

  /** Writes and syncs wait from now on, like those to a device that does not answer. */
  freeze(): void {
    execFileSync('fsfreeze', ['--freeze', this.#mountPoint])
    this.#frozen = true
  }

  thaw(): void {
    if (!this.#frozen) return
    execFileSync('fsfreeze', ['--unfreeze', this.#mountPoint])
    this.#frozen = false
  }

  /** The file system gives up, as ext4 does at an error of its device; what was not synced is lost. */
  breakDown(): void {
    execFileSync('mount', ['-o', 'remount,abort', this.#mountPoint])
  }

  /** Mounted anew, once nobody has it open. */
  repair(): void {
    execFileSync('umount', [this.#mountPoint])
    execFileSync('mount', ['-o', 'loop', this.#image, this.#mountPoint])
  }

  release(): void {
    this.thaw()
    spawnSync('umount', ['-l', this.#mountPoint])
  }
}

function run(command: string, ...words: string[]): boolean {
  return spawnSync(command, words, { stdio: 'ignore' }).status === 0
}
