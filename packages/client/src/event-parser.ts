/** One event of a stream: its name and its data. */
export interface StreamMessage {
  readonly name: string
  readonly data: string
}

/** Takes a stream of server-sent events apart, as it comes in (HTML standard, 9.2.6). Ids are inside of kuji's data. */
export class EventParser {
  /** The line that has no end yet, in pieces: joined once, or a long line would be copied with each of them. */
  #pieces: string[] = []
  #name = ''
  #data: string[] = []
  #afterReturn = false

  /** The events that end within `text`. */
  push(text: string): StreamMessage[] {
    const messages: StreamMessage[] = []
    let start = this.#afterReturn && text.startsWith('\n') ? 1 : 0
    if (text !== '') this.#afterReturn = text.endsWith('\r')
    for (const { 0: end, index } of text.matchAll(/\r\n|\n|\r/g)) {
      if (index < start) continue
      this.#pieces.push(text.slice(start, index))
      this.#takeLine(this.#pieces.join(''), messages)
      this.#pieces = []
      start = index + end.length
    }
    if (start < text.length) this.#pieces.push(text.slice(start))
    return messages
  }

  #takeLine(line: string, messages: StreamMessage[]): void {
    if (line === '') {
      if (this.#data.length > 0) messages.push({ name: this.#name, data: this.#data.join('\n') })
      this.#name = ''
      this.#data = []
      return
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? []
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#name = value
  }
}
