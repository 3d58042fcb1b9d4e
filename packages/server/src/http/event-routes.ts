import { setImmediate as nextTurn } from 'node:timers/promises'
import { KujiError } from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { LogEventSchema } from '../schema/answers.ts'
import type { Service } from '../service.ts'
import { answers, ofCallers } from './answers.ts'
import type { HttpApp } from './app.ts'
import { EventEncoder, EventStream } from './event-stream.ts'
import { EventsHeaders, EventsQuery } from './schemas.ts'

const schema = {
  operationId: 'watch',
  tags: ['events'],
  summary: 'Watch what happens',
  description:
    'Server-sent events: each durable batch as an event `batch`, whose id is its position in the log. Goes on behind ' +
    '`Last-Event-ID`, or `after`; without either, from now on. An event `error` carries a problem document, and ends ' +
    'the stream.',
  querystring: EventsQuery,
  headers: EventsHeaders,
  response: answers(
    {
      200: {
        description: 'A stream that does not end.',
        schema: LogEventSchema,
        contentType: 'text/event-stream',
      },
    },
    ofCallers,
  ),
}

export function addEventRoutes(app: HttpApp, service: Service, log: Logger): void {
  const open = new Set<AbortController>()
  const encoder = new EventEncoder()
  let closing = false
  // A stop waits for requests in flight, and these would never end by themselves.
  app.addHook('preClose', async () => {
    closing = true
    for (const ending of open) ending.abort()
  })

  app.get('/v1/events', { schema, exposeHeadRoute: false }, async (request, reply) => {
    const after = request.headers['last-event-id'] ?? request.query.after
    const ending = new AbortController()
    const events = service.watch(request.caller, {
      ...(after === undefined ? {} : { after: Number(after) }),
      signal: ending.signal,
    })
    const position = after === undefined ? service.health().lsn : Number(after)
    if (open.size >= serverLimits.eventStreams) {
      const message = `${serverLimits.eventStreams} streams of events are open already`
      throw new KujiError('OVERLOADED', message, { limit: serverLimits.eventStreams })
    }
    open.add(ending)
    // An orderly end and not a refusal, upon which a browser would not come back.
    if (closing) ending.abort()
    reply.raw.on('close', () => ending.abort())
    try {
      const first = events.next()
      // A refusal comes at once, and can still be answered with its status.
      await Promise.race([first, nextTurn()])
      reply.hijack()
      await new EventStream(reply.raw, encoder, log, ending.signal).run(position, first, events)
    } finally {
      open.delete(ending)
      ending.abort()
      void events.return()
    }
  })
}
