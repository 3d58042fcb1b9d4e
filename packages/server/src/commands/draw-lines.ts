import type { LoggedDraws } from '@kuji/engine'

const chunkBytes = 1024 * 1024
/** Room for one line: ids of 128 characters, a key and a recipient of 255, escaped, and what stands around them. */
const lineBytes = 8 * 1024
const zero = 0x30
const nine = 0x39

/** What stands in a line of a run besides the number: before it, with each item, and at the end. */
export interface LineForm {
  readonly head: string
  item(draws: LoggedDraws, id: string): string
  tail(draws: LoggedDraws): string
}

/** `DRAW 17 gold`. */
export const textLines: LineForm = {
  head: 'DRAW ',
  item: (_draws, id) => ` ${id}\n`,
  tail: () => '',
}

/** `{"type":"draw","number":17,…}`. */
export const jsonLines: LineForm = {
  head: '{"type":"draw","number":',
  item: ({ pool }, id) => `,"pool":${JSON.stringify(pool)},"item":${JSON.stringify(id)}`,
  tail: ({ version, at, lsn, key, recipient }) => {
    const named = JSON.stringify({ version, at: new Date(at).toISOString(), lsn, key, recipient })
    return `,${named.slice(1)}\n`
  },
}

interface ItemTexts {
  readonly bytes: Buffer
  /** Where each item's text starts, and the end of the last. */
  readonly starts: Uint32Array
}

/**
 * Makes lines of draws in bytes: the number is counted up digit by digit and the items' texts are made once, which is
 * five times as fast as joining strings. Lines of a batch that is not settled yet are held back.
 */
export class DrawLines {
  readonly #form: LineForm
  readonly #head: Buffer
  readonly #texts = new WeakMap<readonly string[], ItemTexts>()
  readonly #digits = new Uint8Array(16)
  #digitCount = 0
  #chunk = Buffer.allocUnsafe(chunkBytes)
  #end = 0
  #full: Buffer<ArrayBuffer>[] = []
  /** How far the lines are settled, in the first chunk that is still here. */
  #settled = 0
  readonly #spare: Buffer<ArrayBuffer>[] = []

  constructor(form: LineForm) {
    this.#form = form
    this.#head = Buffer.from(form.head)
  }

  /** Adds the draws of a run from number `from` to number `to`. */
  add(draws: LoggedDraws, from: number, to: number): void {
    const { firstDraw, start, count, items } = draws
    const first = Math.max(firstDraw, from)
    const last = Math.min(firstDraw + count - 1, to)
    if (first > last) return
    const { bytes, starts } = this.#textsOf(draws)
    const tail = Buffer.from(this.#form.tail(draws))
    const head = this.#head
    this.#startAt(first)
    for (let k = start + first - firstDraw, end = start + last - firstDraw; k <= end; k++) {
      if (this.#end + lineBytes > chunkBytes) this.#nextChunk()
      const chunk = this.#chunk
      let at = this.#end
      for (let i = 0; i < head.length; i++) chunk[at++] = head[i]!
      for (let i = 0; i < this.#digitCount; i++) chunk[at++] = this.#digits[i]!
      const item = items[k]!
      for (let i = starts[item]!, behind = starts[item + 1]!; i < behind; i++) chunk[at++] = bytes[i]!
      for (let i = 0; i < tail.length; i++) chunk[at++] = tail[i]!
      this.#end = at
      this.#countUp()
    }
  }

  /** Adds a line as it is. */
  addLine(text: string): void {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) {
      if (this.#end === chunkBytes) this.#nextChunk()
      const part = bytes.copy(this.#chunk, this.#end, at)
      at += part
      this.#end += part
    }
  }

  /** What was added is certain. Returns chunks to be written and then given back, where some are full. */
  settle(): readonly Buffer<ArrayBuffer>[] {
    const full = this.#full
    if (full.length > 0) this.#full = []
    this.#settled = this.#end
    return full
  }

  giveBack(chunks: readonly Buffer<ArrayBuffer>[]): void {
    for (const { buffer } of chunks) if (this.#spare.length < 4) this.#spare.push(Buffer.from(buffer))
  }

  /** The last lines that are certain. */
  rest(): Buffer {
    return (this.#full[0] ?? this.#chunk).subarray(0, this.#settled)
  }

  #nextChunk(): void {
    this.#full.push(this.#chunk.subarray(0, this.#end))
    this.#chunk = this.#spare.pop() ?? Buffer.allocUnsafe(chunkBytes)
    this.#end = 0
  }

  #textsOf(draws: LoggedDraws): ItemTexts {
    const known = this.#texts.get(draws.itemIds)
    if (known !== undefined) return known
    const parts = draws.itemIds.map(id => this.#form.item(draws, id))
    const starts = new Uint32Array(parts.length + 1)
    parts.forEach((part, index) => {
      starts[index + 1] = starts[index]! + Buffer.byteLength(part)
    })
    const texts = { bytes: Buffer.from(parts.join('')), starts }
    this.#texts.set(draws.itemIds, texts)
    return texts
  }

  #startAt(number: number): void {
    this.#digitCount = Buffer.from(this.#digits.buffer).write(String(number), 'latin1')
  }

  #countUp(): void {
    const digits = this.#digits
    let at = this.#digitCount - 1
    while (at >= 0 && digits[at] === nine) digits[at--] = zero
    if (at >= 0) {
      digits[at]!++
      return
    }
    // 99 becomes 100.
    digits[0] = zero + 1
    digits[this.#digitCount++] = zero
  }
}
