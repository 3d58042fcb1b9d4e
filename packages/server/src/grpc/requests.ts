import type { ItemManifest, ItemUpdate, Mode, PoolManifest, Stock } from '@kuji/engine/contract'
import { KujiError } from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import type { DrawRequest, PoolAction } from '../service.ts'
import { decodeValue, type ValueMessage } from './json-value.ts'

/*
 * Requests as proto-loader reads them. A field is there only where it was sent, so none can be relied on; a text that
 * was sent empty and one that was not sent are the same, as proto3 has it.
 */

export interface DrawMessage extends Partial<DrawRequest> {}

export interface DrawStreamMessage {
  readonly draw?: DrawMessage
  readonly correlationId?: string
}

export interface IdMessage {
  readonly id?: number
}

export interface PoolMessage {
  readonly pool?: string
}

export interface PageMessage {
  readonly pageSize?: number
  readonly pageToken?: string
}

interface StockMessage {
  readonly units?: number
  readonly unlimited?: boolean
}

interface ItemManifestMessage {
  readonly id?: string
  readonly weight?: number
  readonly stock?: StockMessage
  readonly metadata?: ValueMessage
}

interface PoolManifestMessage {
  readonly id?: string
  readonly mode?: string | number
  readonly items?: readonly ItemManifestMessage[]
  readonly fallback?: string
  readonly lastOne?: string
  readonly metadata?: ValueMessage
}

export interface PutPoolMessage {
  readonly pool?: PoolManifestMessage
  readonly ifVersion?: number
}

export interface UpdateItemMessage extends PoolMessage, ItemUpdate {
  readonly item?: string
  readonly ifVersion?: number
}

export interface SetPoolStatusMessage extends PoolMessage {
  readonly status?: string | number
}

export interface WatchMessage {
  readonly after?: number
}

const modes: ReadonlyMap<string | number, Mode | undefined> = new Map([
  ['MODE_UNSPECIFIED', undefined],
  ['MODE_WEIGHTED', 'weighted'],
  ['MODE_URN', 'urn'],
])

const actions: ReadonlyMap<string | number, PoolAction> = new Map([
  ['POOL_STATUS_OPEN', 'resume'],
  ['POOL_STATUS_PAUSED', 'pause'],
  ['POOL_STATUS_CLOSED', 'close'],
])

/** Whole fields are checked by the engine, for every way in alike. */
export function decodeDraw(message: DrawMessage | undefined): DrawRequest {
  if (message === undefined) throw missing('draw')
  return message.pool === undefined ? { ...message, pool: '' } : (message as DrawRequest)
}

export function decodeAction(status: string | number | undefined): PoolAction {
  const action = status === undefined ? undefined : actions.get(status)
  if (action !== undefined) return action
  throw refuse('status', 'expected POOL_STATUS_OPEN, POOL_STATUS_PAUSED or POOL_STATUS_CLOSED')
}

export function decodePage({ pageSize = 0, pageToken = '' }: PageMessage): { after: string; size: number } {
  const size = pageSize === 0 ? serverLimits.defaultPageSize : pageSize
  if (size > serverLimits.pageSize)
    throw refuse('pageSize', `expected at most ${serverLimits.pageSize}, got ${size}`)
  return { after: pageToken, size }
}

export function decodeManifest(message: PoolManifestMessage | undefined): PoolManifest {
  if (message === undefined) throw missing('pool')
  const { id = '', mode = 'MODE_UNSPECIFIED', items = [], metadata, ...rest } = message
  if (!modes.has(mode)) throw refuse('mode', 'expected MODE_WEIGHTED or MODE_URN')
  const known = modes.get(mode)
  return {
    id,
    ...(known === undefined ? {} : { mode: known }),
    items: items.map(decodeItem),
    ...rest,
    ...(metadata === undefined ? {} : { metadata: decodeValue(metadata, 'metadata') }),
  }
}

function decodeItem(message: ItemManifestMessage, index: number): ItemManifest {
  const { id = '', weight, stock, metadata } = message
  return {
    id,
    ...(weight === undefined ? {} : { weight }),
    stock: decodeStock(stock, `items[${index}].stock`),
    ...(metadata === undefined ? {} : { metadata: decodeValue(metadata, `items[${index}].metadata`) }),
  }
}

function decodeStock(message: StockMessage | undefined, field: string): Stock {
  if (message?.units !== undefined) return message.units
  if (message?.unlimited === true) return 'unlimited'
  throw refuse(field, 'expected units, or unlimited: true')
}

function missing(field: string): KujiError {
  return refuse(field, 'missing')
}

function refuse(field: string, message: string): KujiError {
  return new KujiError('INVALID', `${field}: ${message}`, { field })
}
