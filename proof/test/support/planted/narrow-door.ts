import { mutateBytes, words } from '../../../src/fuzz/mutate/bytes.ts'
import { Defect, type FuzzTarget } from '../../../src/fuzz/target.ts'

const letters = words('k', 'u', 'j', 'i', '!')

/** Five bytes, each looked at only where those before it are right: chance alone has to hit them all at once. */
function enter(input: Uint8Array): void {
  if (input[0] !== 0x6b) return
  if (input[1] !== 0x75) return
  if (input[2] !== 0x6a) return
  if (input[3] !== 0x69) return
  if (input[4] === 0x21) throw new Defect('came in')
}

/** What is found only by whoever sees how far an input has come. */
const door: FuzzTarget = {
  mostBytes: 12,
  mutate: (input, other, chance) => mutateBytes(input, other, chance, letters),
  async seeds() {
    return [Buffer.from('......')]
  },
  async open() {
    return { run: enter, async close() {} }
  },
}

export default door
