import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { decodeLog } from '../../../../test/support/log-decoder.ts'
import { clients } from '../client-process.ts'
import { sleep } from '../clock.ts'
import { ServerProcess } from '../server-process.ts'
import { type Stage, segmentBytes } from '../stage.ts'
import type { Episode } from './episode.ts'
import { expectEnd, mustSay, untilReady } from './expect.ts'

const always = (): boolean => true

/** SIGSTOP for longer than some have patience, then SIGCONT. */
const stopped: Episode = {
  name: 'stopped for a while',
  canPlay: always,
  outlastsPatience: true,
  async play(stage) {
    const ms = stage.chance.between(1500, 3000)
    stage.server.kill('SIGSTOP')
    await sleep(ms)
    stage.server.kill('SIGCONT')
    await stage.expectDraw()
    return `${Math.round(ms)} ms`
  },
}

/** SIGTERM under load: everything that was taken is answered, and the log ends with the seal of a shutdown. */
const terminated: Episode = {
  name: 'terminated in order',
  canPlay: always,
  async play(stage) {
    stage.server.kill('SIGTERM')
    const { code } = await stage.ended()
    if (code !== 0) throw new Error(`exit code ${code}`)
    const { sealed, position } = decodeLog(join(stage.directory, 'data', 'log'))
    if (sealed !== 'shutdown') throw new Error(`the log ends with LSN ${position.lsn}, sealed "${sealed}"`)
    await stage.start()
    return `sealed at LSN ${position.lsn}`
  },
}

/** A second server on the directory is refused, and does not disturb the first. */
const second: Episode = {
  name: 'a second server on the directory',
  canPlay: always,
  async play(stage) {
    const { configuration, directory } = stage
    const other = new ServerProcess(0, configuration, join(directory, 'server.log'))
    const address = await other.listening.catch(() => null)
    if (address !== null) other.kill('SIGKILL')
    const { code } = await other.ended
    if (address !== null) throw new Error('it serves as well')
    if (code !== 1) throw new Error(`exit code ${code}`)
    mustSay(other.output, new RegExp(`LOCKED: .*process ${stage.server.pid} `))
    await stage.expectDraw()
    return `refused, naming process ${stage.server.pid}`
  },
}

/** RLIMIT_FSIZE in the middle of a segment: a short write, then EFBIG. The server ends and says so. */
const limited: Episode = {
  name: 'a limit on the size of files',
  canPlay: () => hasPrlimit(),
  // No file can be made, a write fails, and what came behind it is told that it did not take place.
  brings: ['READ_ONLY', 'OUTCOME_UNKNOWN', 'INTERNAL'],
  async play(stage: Stage) {
    const bytes = 1024 + stage.chance.below(segmentBytes - 2048)
    execFileSync('prlimit', ['--pid', `${stage.server.pid}`, `--fsize=${bytes}`])
    const { server } = stage
    await expectEnd(stage, 1)
    mustSay(server.output, /the log has failed.*EFBIG/)
    await stage.start()
    return `${bytes} bytes: the server ended with EFBIG`
  },
}

/** RLIMIT_NOFILE: no file and no connection can be opened for a while. What is open serves, and the rest comes back. */
const noDescriptors: Episode = {
  name: 'no file descriptors left',
  canPlay: () => hasPrlimit(),
  brings: ['READ_ONLY'],
  async play(stage) {
    const limit = (files: string) =>
      execFileSync('prlimit', ['--pid', `${stage.server.pid}`, `--nofile=${files}:`])
    limit('8')
    const ms = stage.chance.between(100, 1500)
    await sleep(ms)
    limit('1024')
    await untilReady(stage, '')
    await stage.expectDraw()
    return `for ${Math.round(ms)} ms`
  },
}

function hasPrlimit(): boolean {
  try {
    execFileSync('prlimit', ['--version'])
    return true
  } catch {
    return false
  }
}

/** A client dies in the middle of its requests. */
const clientKilled: Episode = {
  name: 'a client killed',
  canPlay: always,
  async play(stage) {
    const { name } = stage.chance.pick(clients)
    await stage.replaceClient(name)
    return name
  },
}

export const processEpisodes: readonly Episode[] = [
  stopped,
  terminated,
  second,
  limited,
  noDescriptors,
  clientKilled,
]
