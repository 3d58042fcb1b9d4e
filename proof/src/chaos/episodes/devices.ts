import { sleep } from '../clock.ts'
import type { Stage } from '../stage.ts'
import type { Episode } from './episode.ts'
import { expectEnd, mustSay, untilReady } from './expect.ts'

const onDevice = ({ device }: Stage): boolean => device !== null
const onExt4 = ({ device }: Stage): boolean => device?.kind === 'ext4'

/** No room: READ_ONLY, reads go on, and draws resume by themselves when there is room. */
const full: Episode = {
  name: 'a full device',
  canPlay: onDevice,
  brings: ['READ_ONLY'],
  async play(stage) {
    const device = stage.device!
    device.fill()
    try {
      await untilReady(stage, 'read-only')
      await stage.readPools()
    } finally {
      device.makeRoom()
    }
    await untilReady(stage, '')
    await stage.expectDraw()
    return 'READ_ONLY, and draws resumed'
  },
}

/** A start on a file system that is mounted read-only says so. */
const readOnly: Episode = {
  name: 'a device mounted read-only',
  canPlay: onDevice,
  async play(stage) {
    const device = stage.device!
    await stage.kill()
    device.makeReadOnly()
    try {
      const server = stage.spawn()
      await expectEnd(stage, 1)
      mustSay(server.output, /EROFS/)
    } finally {
      device.makeWritable()
    }
    await stage.start()
    return 'the start was refused with EROFS'
  },
}

/** Writes take seconds: those who wait are answered then, or have given up. */
const slow: Episode = {
  name: 'a device that does not answer for a while',
  canPlay: onExt4,
  async play(stage) {
    const device = stage.device!
    const ms = stage.chance.between(200, 3000)
    device.freeze()
    await sleep(ms)
    device.thaw()
    await stage.expectDraw()
    return `${Math.round(ms)} ms`
  },
}

/** Killed while a write hangs in the kernel, which it outlives. */
const killedWhileSlow: Episode = {
  name: 'killed while the device does not answer',
  canPlay: onExt4,
  async play(stage) {
    const device = stage.device!
    device.freeze()
    await sleep(stage.chance.between(50, 500))
    const killed = stage.kill()
    // It is looked at once the device answers again.
    killed.catch(() => {})
    await sleep(stage.chance.between(0, 300))
    device.thaw()
    await killed
    await stage.start()
    return ''
  },
}

/** The file system gives up under the server: it ends, and what it had answered is there when it is mounted again. */
const broken: Episode = {
  name: 'a device that breaks down',
  // With durability `os`, what the kernel had not written goes with it.
  canPlay: stage => onExt4(stage) && stage.durability === 'sync',
  // No file can be made, a write fails, and what came behind it is told that it did not take place.
  brings: ['READ_ONLY', 'OUTCOME_UNKNOWN', 'INTERNAL'],
  async play(stage) {
    const device = stage.device!
    device.breakDown()
    const { server } = stage
    await expectEnd(stage, 1)
    device.repair()
    await stage.start()
    return /the log has failed[^"]*: ([^"]*)"/.exec(server.output)?.[1] ?? ''
  },
}

export const deviceEpisodes: readonly Episode[] = [full, readOnly, slow, killedWhileSlow, broken]
