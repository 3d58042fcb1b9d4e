import type { PlantedBug } from '../planted-bug.ts'

const writer = 'packages/engine/src/writer/writer.ts'
const decide = 'packages/engine/src/writer/decide.ts'
const fileLog = 'packages/engine/src/log/file-log.ts'

/** When answers leave, and what becomes of a write that fails. */
export const bugsOfAnswers: readonly PlantedBug[] = [
  {
    name: 'answer-before-write',
    what: 'answers leave when their batch is handed to the log, not when it is durable',
    patches: [
      {
        file: writer,
        find: '    void this.#write(batch).then(outcome => {',
        put: '    this.#mailbox.answerUpTo(upTo)\n    void this.#write(batch).then(outcome => {',
      },
    ],
    layers: ['tests', 'sim', 'crash-points', 'chaos'],
    tests: ['durability.test.ts', 'faults.test.ts'],
    quick: 'sim',
  },
  {
    name: 'read-sends-answers-off',
    what: 'a read that comes during a write is answered at once, and so is all that was decided before it',
    patches: [
      {
        file: writer,
        find: 'if (!this.#writing && this.#failure === null && mailbox.answered < mailbox.decided) this.#submit()',
        put:
          'if ((!this.#writing || this.#open.records === 0) && this.#failure === null &&\n' +
          '      mailbox.answered < mailbox.decided) this.#submit()',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['durability.test.ts', 'faults.test.ts'],
  },
  {
    name: 'answers-out-of-order',
    what: 'the answers of a batch leave from the last to the first',
    patches: [
      {
        file: 'packages/engine/src/writer/mailbox.ts',
        find: '    while (this.answered < position) {\n      const slot = this.answered++ & this.#mask',
        put:
          '    const began = this.answered\n' +
          '    while (this.answered < position) {\n' +
          '      const slot = (position - 1 - (this.answered++ - began)) & this.#mask',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['keys/exactly-once.test.ts'],
    quick: 'sim',
  },
  {
    name: 'unknown-told-as-refused',
    what: 'what was in a write that failed is said not to have been carried out',
    patches: [
      {
        file: writer,
        find: '(position < upTo ? failure : stopped(failure, requested[slot]))',
        put: '(position < upTo - upTo ? failure : stopped(failure, requested[slot]))',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['faults.test.ts'],
  },
  {
    name: 'failed-write-passed-over',
    what: 'a write that failed counts as done',
    patches: [
      {
        file: fileLog,
        find: "      return { outcome: 'unknown', cause }",
        put: "      if (this.#end < 0) return { outcome: 'unknown', cause }",
      },
    ],
    layers: ['tests', 'sim', 'chaos'],
    tests: ['faults.test.ts'],
  },
  {
    name: 'writer-goes-on-after-failed-write',
    what: 'a failed write fails its requests alone, and the writer goes on with a state that is ahead of the log',
    patches: [
      {
        file: writer,
        find: '      this.#stop(outcome, upTo)\n      return\n    }\n    this.#spare.clear()',
        put:
          "      const failure = refuse('OUTCOME_UNKNOWN', 'a write to the log failed')\n" +
          '      if (upTo < 0) this.#stop(outcome, upTo)\n' +
          '      this.#mailbox.failAll(() => failure)\n' +
          '    }\n    this.#spare.clear()',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['faults.test.ts'],
  },
  {
    name: 'failed-write-tried-again-elsewhere',
    what: 'the bytes of a failed write are written once more, behind the place where they may stand already',
    patches: [
      {
        file: fileLog,
        find:
          '    try {\n      await this.#options.appender.append(file, seed, batch, position)\n' +
          '    } catch (cause) {',
        put:
          '    const { appender } = this.#options\n' +
          '    const again = (): Promise<void> => {\n' +
          '      this.#end += batch.length - terminatorBytes\n' +
          '      return appender.append(file, seed, batch, this.#end - batch.length + terminatorBytes)\n' +
          '    }\n' +
          '    try {\n' +
          '      await appender.append(file, seed, batch, position).catch(again)\n' +
          '    } catch (cause) {',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['faults.test.ts'],
    quick: 'sim',
  },
  {
    name: 'failed-sync-tried-again',
    what: 'a sync that failed is tried again, and the kernel, which has dropped the bytes, then says yes',
    patches: [
      {
        file: 'packages/engine/src/log/segment.ts',
        find: '    await file.sync()\n',
        put: '    await file.sync().catch(() => file.sync())\n',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['proof/test/failed-writes.test.ts'],
  },
  {
    name: 'batch-written-again',
    what: 'the memory of a batch is not cleared, and the next but one begins with its records',
    patches: [
      {
        file: writer,
        find: '    this.#spare.clear()\n',
        put: '    if (upTo < 0) this.#spare.clear()\n',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['rotation.test.ts'],
    quick: 'sim',
  },
  {
    name: 'multi-draw-in-two-batches',
    what: 'a request for several draws is written as two, one after the other',
    patches: [
      {
        file: 'packages/engine/src/kuji.ts',
        find: '    return this.#writer.draw(pool, this.#count, this.#flags, this.#named) as Promise<Receipt>',
        put:
          '    const [count, flags, named] = [this.#count, this.#flags, this.#named]\n' +
          '    const ask = (part: number) => this.#writer.draw(pool, part, flags, named) as Promise<Receipt>\n' +
          '    if (count === 1 || flags !== 0 || named !== undefined) return ask(count)\n' +
          '    return ask(count - 1).then(async first => {\n' +
          '      const { items } = await ask(1)\n' +
          '      return { ...first, items: [...first.items, ...items] }\n' +
          '    })',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['durability.test.ts', 'crash-points.test.ts'],
    quick: 'sim',
  },
  {
    name: 'read-only-decides-anyway',
    what: 'a draw that is refused because the disk is full takes a unit all the same',
    patches: [
      {
        file: writer,
        find: "    return refuse('READ_ONLY', refusal)\n",
        put:
          "    if (typeof request === 'string' && this.#open.records === 0 && this.#log.fits(128))\n" +
          '      this.#decider.draw(this.#open, request, 1, true, this.#openTime)\n' +
          "    return refuse('READ_ONLY', refusal)\n",
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['faults.test.ts'],
  },
  {
    name: 'time-runs-back',
    what: 'the time of the log follows the wall clock, backwards too',
    patches: [
      {
        file: writer,
        find: 'this.#openTime = Math.max(this.#openTime, Math.min(this.#options.clock.now(), limits.time))',
        put: 'this.#openTime = Math.min(this.#options.clock.now(), limits.time)',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['keys/expiry.test.ts'],
    quick: 'sim',
  },
  {
    name: 'events-before-durable',
    what: 'those who watch are told of a batch when it is handed to the log, not when it is durable',
    patches: [
      { file: writer, find: '    this.feed.take(batch.views, batch.names)\n', put: '' },
      {
        file: writer,
        find: '    return this.#log.append(batch.finish({ lsn: this.#lsn, firstDraw, time, epoch }))\n',
        put:
          '    const bytes = batch.finish({ lsn: this.#lsn, firstDraw, time, epoch })\n' +
          '    if (batch !== this.#seals) this.feed.take(batch.views, batch.names)\n' +
          '    return this.#log.append(bytes)\n',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['watch.test.ts'],
    quick: 'sim',
  },
  {
    name: 'bulk-receipt-in-memory-of-the-batch',
    what: 'a bulk receipt shows the memory of its batch, which the next but one is written into',
    patches: [
      { file: decide, find: 'batch.outcomes.slice(start, end)', put: 'batch.outcomes.subarray(start, end)' },
    ],
    layers: ['tests', 'sim'],
    tests: ['pools.test.ts'],
  },
]
