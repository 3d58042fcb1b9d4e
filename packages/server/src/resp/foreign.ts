import type { Arguments } from './arguments.ts'

const methods = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE', 'PRI']

/**
 * Whether the command is a part of an HTTP request. A web page can make a browser send one to any port of the machine
 * it runs on, with lines of the page's choosing in it; the connection has to end before one of those is carried out.
 */
export function isHttp(args: Arguments): boolean {
  if (args.is(0, 'POST') || args.is(0, 'HOST:')) return true
  return args.inline && methods.some(method => args.is(0, method))
}
