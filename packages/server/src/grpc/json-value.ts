import { type Json, KujiError } from '@kuji/engine/contract'

/** A google.protobuf.Value as proto-loader reads and writes it: one of these is set. */
export interface ValueMessage {
  readonly nullValue?: 'NULL_VALUE'
  readonly numberValue?: number
  readonly stringValue?: string
  readonly boolValue?: boolean
  readonly structValue?: StructMessage
  readonly listValue?: { readonly values?: readonly ValueMessage[] }
}

export interface StructMessage {
  readonly fields?: Readonly<Record<string, ValueMessage>>
}

/** The JSON in a Value. A caller may name a field `__proto__`: it is a name like any other. Throws `INVALID`. */
export function decodeValue(value: ValueMessage, field: string): Json {
  if (value.structValue !== undefined) {
    const entries = Object.entries(value.structValue.fields ?? {})
    return Object.fromEntries(entries.map(([name, inner]) => [name, decodeValue(inner, field)]))
  }
  if (value.listValue !== undefined)
    return (value.listValue.values ?? []).map(inner => decodeValue(inner, field))
  if (value.nullValue !== undefined) return null
  const plain = value.stringValue ?? value.boolValue ?? value.numberValue
  if (plain === undefined) throw new KujiError('INVALID', `${field}: a value without a kind`, { field })
  if (typeof plain === 'number' && !Number.isFinite(plain))
    throw new KujiError('INVALID', `${field}: ${plain} is not a number of JSON`, { field })
  return plain
}

/** JSON as a Value. */
export function encodeValue(json: Json): ValueMessage {
  switch (typeof json) {
    case 'string':
      return { stringValue: json }
    case 'number':
      return { numberValue: json }
    case 'boolean':
      return { boolValue: json }
  }
  if (json === null) return { nullValue: 'NULL_VALUE' }
  if (Array.isArray(json)) return { listValue: { values: json.map(encodeValue) } }
  return { structValue: encodeStruct(json as Readonly<Record<string, Json>>) }
}

export function encodeStruct(json: Readonly<Record<string, Json>>): StructMessage {
  return {
    fields: Object.fromEntries(Object.entries(json).map(([name, inner]) => [name, encodeValue(inner)])),
  }
}
