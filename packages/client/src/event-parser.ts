/** One event of a stream: its name and its data. */
export interface StreamMessage {
  readonly name: string
  readonly data: string
}

/** Takes a stream of server-sent events apart, as it comes in (HTML standard, 9.2.6). Ids are inside of kuji's data. */
export class EventParser {
  /** The line that has no end yet, in pieces: joined once, or a long line would be copied with each of them. */
  #pieces: string[] = []
  /** Characters of the event that has no end yet: its lines, and the piece of one. */
  #characters = 0
  readonly #mostCharacters: number
  #name = ''
  #data: string[] = []
  #afterReturn = false

  constructor(mostCharacters: number) {
    this.#mostCharacters = mostCharacters
  }

  /** The events that end within `text`. Throws where one has more characters than it may. */
  push(text: string): StreamMessage[] {
    const messages: StreamMessage[] = []
    let start = this.#afterReturn && text.startsWith('\n') ? 1 : 0
    if (text !== '') this.#afterReturn = text.endsWith('\r')
    for (const { 0: end, index } of text.matchAll(/\r\n|\n|\r/g)) {
      if (index < start) continue
      this.#addPiece(text.slice(start, index))
      this.#takeLine(this.#pieces.join(''), messages)
      this.#pieces = []
      start = index + end.length
    }
    if (start < text.length) this.#addPiece(text.slice(start))
    return messages
  }

  #addPiece(piece: string): void {
    // A line with nothing in it takes memory too.
    this.#characters += piece.length + 1
    if (this.#characters > this.#mostCharacters)
      throw new Error(`an event is larger than ${this.#mostCharacters.toLocaleString('en')} characters`)
    this.#pieces.push(piece)
  }

  #takeLine(line: string, messages: StreamMessage[]): void {
    if (line === '') {
      if (this.#data.length > 0) messages.push({ name: this.#name, data: this.#data.join('\n') })
      this.#name = ''
      this.#data = []
      this.#characters = 0
      return
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? []
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#name = value
  }
}
