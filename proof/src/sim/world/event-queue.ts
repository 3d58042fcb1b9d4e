interface QueuedEvent {
  readonly time: number
  readonly order: number
  run: (() => void) | null
}

/** What is to happen, by its time, and in the order of entering where the time is the same: a binary heap. */
export class EventQueue {
  readonly #heap: QueuedEvent[] = []
  #entered = 0

  get empty(): boolean {
    return this.#heap.length === 0
  }

  add(time: number, run: () => void): QueuedEvent {
    const event = { time, order: this.#entered++, run }
    const heap = this.#heap
    let place = heap.length
    heap.push(event)
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[place] = heap[parent]!
      place = parent
    }
    heap[place] = event
    return event
  }

  /** Takes out the next one. There must be one. */
  take(): QueuedEvent {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      let place = 0
      for (;;) {
        let child = 2 * place + 1
        if (child >= heap.length) break
        if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
        if (!isBefore(heap[child]!, last)) break
        heap[place] = heap[child]!
        place = child
      }
      heap[place] = last
    }
    return first
  }
}

function isBefore(a: QueuedEvent, b: QueuedEvent): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order)
}
