import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js'

/** Messages of one stream that leave together. */
export class MessageBatch {
  readonly messages: readonly object[]

  constructor(messages: readonly object[]) {
    this.messages = messages
  }
}

/**
 * Sends the messages of a batch one behind the other. A stream of grpc-js waits with each message until HTTP/2 has sent
 * the one before; given many at once, HTTP/2 sends them with one system call, and whoever waits for them asks again at
 * once for as many, which makes large batches in the log too.
 */
export const sendBatches: ServerInterceptor = (_method, call) =>
  new ServerInterceptingCall(call, {
    sendMessage(message: object, next) {
      if (!(message instanceof MessageBatch)) {
        next(message)
        return
      }
      const { messages } = message
      const last = messages.length - 1
      for (let k = 0; k < last; k++) call.sendMessage(messages[k], ignore)
      // Only the last one tells that it has left: the others went before it.
      next(messages[last])
    },
  })

function ignore(): void {}
