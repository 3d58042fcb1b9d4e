import { limits } from '../contract/index.ts'
import type { Rules } from '../pool/manifest.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'
import { MalformedBytes } from './bytes.ts'

/** A pool's rules in bytes, as PUT records and snapshots hold them. docs/data-format.md tells the layout. */
export function writeRules(writer: ByteWriter, rules: Rules): void {
  writer.text(rules.id)
  writer.u8(rules.mode === 'urn' ? 1 : 0)
  writer.u8(rules.decimals)
  writer.varint(rules.fallback + 1)
  writer.varint(rules.lastOne + 1)
  writer.text(rules.metadata)
  writer.varint(rules.itemIds.length)
  writer.u8(rules.itemMetadata === null ? 0 : 1)
  for (let i = 0; i < rules.itemIds.length; i++) {
    const stock = rules.stock[i]!
    writer.text(rules.itemIds[i]!)
    writer.varint(rules.weights[i]!)
    writer.varint(stock === Number.POSITIVE_INFINITY ? 0 : stock + 1)
    if (rules.itemMetadata !== null) writer.text(rules.itemMetadata[i]!)
  }
}

/** Throws MalformedBytes for what writeRules cannot have written. */
export function readRules(reader: ByteReader): Rules {
  const id = reader.text()
  const modeByte = reader.u8()
  if (modeByte > 1) throw new MalformedBytes(`mode ${modeByte} of pool "${id}"`)
  const mode = modeByte === 1 ? 'urn' : 'weighted'
  const decimals = reader.u8()
  const fallback = reader.varint() - 1
  const lastOne = reader.varint() - 1
  const metadata = reader.text()
  const count = reader.varint()
  const hasMetadata = reader.u8() === 1
  // An item takes three bytes at the least: nothing is allocated on the word of a length alone.
  if (count * 3 > reader.rest) throw new MalformedBytes(`${count} items in ${reader.rest} bytes`)
  const itemIds: string[] = new Array(count)
  const weights = new Float64Array(count)
  const stock = new Float64Array(count)
  const itemMetadata: string[] | null = hasMetadata ? new Array<string>(count) : null
  for (let i = 0; i < count; i++) {
    itemIds[i] = reader.text()
    weights[i] = reader.varint()
    const units = reader.varint()
    stock[i] = units === 0 ? Number.POSITIVE_INFINITY : units - 1
    if (itemMetadata !== null) itemMetadata[i] = reader.text()
  }
  if (fallback >= count || lastOne >= count) throw new MalformedBytes('a named item that does not exist')
  Object.freeze(itemIds)
  const rules: Rules = {
    id,
    mode,
    itemIds,
    weights,
    decimals,
    stock,
    fallback,
    lastOne,
    metadata,
    itemMetadata,
  }
  const fault = faultOf(rules)
  if (fault !== '') throw new MalformedBytes(`pool "${id}": ${fault}`)
  return rules
}

/** Why no writer has written these, or ''. The samplers, and whoever reads metadata as JSON, rest on it. */
function faultOf({
  mode,
  weights,
  decimals,
  stock,
  fallback,
  lastOne,
  metadata,
  itemMetadata,
}: Rules): string {
  if (decimals > limits.weightDecimals) return `${decimals} decimals`
  if (mode === 'urn' ? fallback >= 0 : lastOne >= 0)
    return 'a lastOne of a weighted pool, or a fallback of an urn'
  let weightSum = 0
  let stockSum = 0
  for (let i = 0; i < stock.length; i++) {
    weightSum += weights[i]!
    if (stock[i] !== Number.POSITIVE_INFINITY) stockSum += stock[i]!
    else if (mode === 'urn' && i !== lastOne) return 'an urn of unlimited stock'
  }
  if (mode === 'urn' ? weightSum > 0 : weightSum === 0 || weightSum > limits.weightSum)
    return `weights of ${weightSum} in all`
  if (stockSum > limits.stock) return `stock of ${stockSum} in all`
  if (!isJson(metadata) || itemMetadata?.every(isJson) === false) return 'metadata that is no JSON'
  return ''
}

/** Whether a text is JSON, or none at all. */
function isJson(text: string): boolean {
  if (text === '') return true
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
