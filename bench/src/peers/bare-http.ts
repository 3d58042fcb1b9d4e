import { createServer } from 'node:http'

/** A process that answers every POST with the same receipt: what node:http costs by itself. Takes its port. */

const receipt = {
  id: 1_000_000,
  pool: 'summer',
  items: ['sticker'],
  version: 1,
  at: '2026-11-23T12:00:00.000Z',
  replayed: false,
}
const body = JSON.stringify(receipt)
const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length }

const server = createServer((request, response) => {
  // A server has to have read what it answers.
  request.resume().once('end', () => response.writeHead(201, headers).end(body))
})
server.listen(Number(process.argv[2]), '127.0.0.1')
