import { connect } from 'node:net'

/**
 * A process that opens connections, uses each once, says so and then leaves them alone: `PROTOCOL PORT COUNT`. It ends
 * with an error where one of them is closed.
 */

const [protocol, port, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const [request, answer] =
  protocol === 'http'
    ? [`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`, 'HTTP/1.1 200']
    : ['*1\r\n$4\r\nPING\r\n', '+PONG']
/** Connections being made at the same time: fewer than a server's backlog. */
const atOnce = 100

function open(): Promise<void> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    socket.once('data', data => {
      if (data.toString().startsWith(answer)) resolve()
      else fail(`answered: ${data}`)
    })
    socket.once('error', error => fail(error.message))
    socket.once('close', () => fail('closed by the server'))
  })
}

function fail(why: string): never {
  process.stderr.write(`after ${opened} connections: ${why}\n`)
  process.exit(1)
}

let opened = 0
async function lane(): Promise<void> {
  while (opened < count) {
    opened++
    await open()
  }
}
await Promise.all(Array.from({ length: atOnce }, lane))
process.stdout.write('held\n')
