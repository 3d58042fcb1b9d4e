import { KujiError } from '@kuji/engine/contract'
import {
  decodeSnapshot,
  parseSnapshotName,
  type Snapshot,
  snapshotName,
  writeSnapshot,
} from '../../../../packages/engine/src/snapshot/snapshot.ts'
import { directory, MemoryDisk } from '../log/memory-disk.ts'
import { makeSampleLogs } from '../log/sample-logs.ts'
import { mendSnapshot, mutateSnapshot } from '../mutate/snapshot.ts'
import { Defect, type FuzzTarget } from '../target.ts'

function decode(input: Uint8Array): Snapshot | KujiError {
  try {
    return decodeSnapshot(input, 'snapshot')
  } catch (error) {
    if (error instanceof KujiError && error.code === 'CORRUPT') return error
    throw error
  }
}

/** A snapshot is refused as CORRUPT, or read; what was read can be written, and read again as the same state. */
const snapshot: FuzzTarget = {
  mostBytes: 64 * 1024,
  mutate: mutateSnapshot,
  mend: mendSnapshot,
  async seeds() {
    const files = (await makeSampleLogs()).flatMap(log => [...log])
    return files.filter(([path]) => parseSnapshotName(path) > 0).map(([, bytes]) => bytes)
  },
  async open() {
    return {
      async run(input) {
        const read = decode(Uint8Array.from(input))
        if (read instanceof KujiError) return
        const disk = new MemoryDisk()
        await writeSnapshot(disk, directory, read)
        const again = decode(await disk.read(`${directory}/${snapshotName(read.segment)}`))
        if (again instanceof KujiError)
          throw new Defect('what was read and written is refused', { cause: again })
        const { state } = again
        if (state.hash !== read.state.hash || state.pools.size !== read.state.pools.size)
          throw new Defect('what was read and written is another state')
      },
      async close() {},
    }
  },
}

export default snapshot
