import { Metadata, type ServerErrorResponse } from '@grpc/grpc-js'
import { codes, type ErrorFields, type KujiError } from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import { retryAfterSeconds } from '../retry-after.ts'
import { errorMessages } from './definitions.ts'

const most = serverLimits.grpcErrorLength
const typePrefix = 'type.googleapis.com/'

/** What ends a call with an error: the status, and the trailers that kuji.proto describes. */
export function statusOf(error: KujiError): ServerErrorResponse {
  const { code, message } = error
  const status = codes[code].grpc
  const details = shorten(message)
  const fields = shortenFields(error.fields)
  const seconds = retryAfterSeconds(code, fields)
  const metadata = new Metadata()
  metadata.set('kuji-code', code)
  if (Object.keys(fields).length > 0) metadata.set('kuji-fields', asciiJson(fields))
  if (seconds !== undefined) metadata.set('retry-after', String(seconds))
  const infos = [pack('ErrorInfo', { reason: code, domain: 'kuji', metadata: textsOf(fields) })]
  if (seconds !== undefined) infos.push(pack('RetryInfo', { retryDelay: { seconds } }))
  const bytes = errorMessages.Status.serialize({ code: status, message: details, details: infos })
  metadata.set('grpc-status-details-bin', bytes)
  return { name: 'KujiError', message: details, code: status, details, metadata }
}

function pack(type: 'ErrorInfo' | 'RetryInfo', message: object): object {
  // Any comes with protobufjs, which spells its fields as the .proto does.
  return { type_url: `${typePrefix}google.rpc.${type}`, value: errorMessages[type].serialize(message) }
}

/**
 * A message may hold what the caller sent. Trailers of more than some kilobytes break a call in many clients, and half
 * a surrogate pair cannot be percent-encoded.
 */
function shorten(text: string): string {
  return (text.length > most ? `${text.slice(0, most)}…` : text).toWellFormed()
}

function shortenFields(fields: ErrorFields): ErrorFields {
  const entries = Object.entries(fields)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? shorten(value) : value]),
  )
}

function textsOf(fields: ErrorFields): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]))
}

/** Trailers are ASCII; JSON has escapes for the rest. */
function asciiJson(fields: ErrorFields): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(fields).replaceAll(/[^\x20-\x7e]/g, escaped)
}
