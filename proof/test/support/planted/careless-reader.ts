import { mutateBytes } from '../../../src/fuzz/mutate/bytes.ts'
import type { FuzzTarget } from '../../../src/fuzz/target.ts'

/** Lists of numbers, `3:1,2,3`, read with the mistakes that fuzzers are for. */
function read(text: string): ArrayLike<number> {
  const colon = text.indexOf(':')
  if (colon < 0) return []
  // Believes what is announced: memory, and turns of a loop, for a number in a text.
  const count = Number.parseInt(text.slice(0, colon), 10)
  if (count >= 1000) return new Uint8Array(Math.min(count * 1000, 2 ** 30))
  if (count < 0) for (;;);
  const parts = text.slice(colon + 1).split(',')
  return Array.from({ length: Math.min(count || 0, 10) }, (_, index) => {
    const part = parts[index]!
    // Of fewer numbers than announced, the next one is undefined.
    return part.length
  })
}

/** A reader with three defects, so that a fuzzer that finds nothing is known to be worth nothing. */
const planted: FuzzTarget = {
  mostBytes: 1000,
  mutate: (input, other, chance) => mutateBytes(input, other, chance),
  async seeds() {
    return [Buffer.from('3:1,2,3'), Buffer.from('1:7')]
  },
  async open() {
    return {
      run(input) {
        read(Buffer.from(input).toString('latin1'))
      },
      async close() {},
    }
  },
}

export default planted
