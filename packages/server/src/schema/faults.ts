import type { TSchema } from 'typebox'
import type { Validator } from 'typebox/compile'
import { Settings } from 'typebox/system'
import { cleanText } from '../clean-text.ts'

/** One thing wrong with a document: where, and what was expected there. */
export interface Fault {
  readonly path: readonly (string | number)[]
  /** The fault is the field's being there at all, not its value. */
  readonly onKey: boolean
  readonly message: string
}

/** At most this many faults are told at once; a document with more has one cause, not that many. */
const maxFaults = 20
// An unfit value of a union counts once for each branch, so more is gathered than told.
Settings.Set({ maxErrors: maxFaults * 4 })

/** Fields of which more can be said than that they are unknown. */
export type Remarks = ReadonlyMap<string, string>

/**
 * What is wrong with `value`, in the words of the schema: the validator says where, and the schema found
 * there is put into a sentence, so that no message can disagree with the check.
 */
export function faultsOf(check: Validator, schema: TSchema, value: unknown, remarks?: Remarks): Fault[] {
  const faults: Fault[] = []
  const seen = new Set<string>()
  const errors = check.Errors(value)
  for (const error of errors) {
    // A branch of a union is no fault by itself.
    if (/\/anyOf\/\d+/.test(error.schemaPath)) continue
    const path = pathOf(error.instancePath, value)
    for (const fault of faultsAt(path, error, schema, value, remarks)) {
      const place = fault.path.join('/')
      if (!seen.has(place)) faults.push(fault)
      seen.add(place)
    }
  }
  // No fault means that all is well, whatever the validator says in a way that is not known here.
  if (errors.length > 0 && faults.length === 0)
    faults.push({ path: [], onKey: false, message: 'not as expected' })
  return faults.slice(0, maxFaults)
}

type SchemaError = ReturnType<Validator['Errors']>[number]

function faultsAt(
  path: readonly (string | number)[],
  error: SchemaError,
  root: TSchema,
  value: unknown,
  remarks: Remarks | undefined,
): Fault[] {
  // Each unknown field counts by itself, before all of them together do: with very many it does not come to that.
  if (error.keyword === 'boolean')
    return [unknownField(path, schemaAt(root, error.schemaPath.replace(/\/[^/]*$/, '')), remarks)]
  const schema = schemaAt(root, error.schemaPath)
  const properties = Object.keys((schema.properties as object | undefined) ?? {})
  if (error.keyword === 'additionalProperties')
    return error.params.additionalProperties.map(name => unknownField([...path, name], schema, remarks))
  if (error.keyword === 'required') {
    return error.params.requiredProperties.map(name => ({
      path: [...path, name],
      onKey: true,
      message: `missing; expected ${expectation(schemaAt(schema, `#/properties/${name}`))}`,
    }))
  }
  if (error.keyword === 'minProperties') {
    return [{ path, onKey: false, message: `expected at least one of ${properties.join(', ')}` }]
  }
  if (schema.writeOnly === true) return [{ path, onKey: false, message: `expected ${expectation(schema)}` }]
  const found = path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown>)[key], value)
  return [{ path, onKey: false, message: `expected ${expectation(schema)}, got ${show(found)}` }]
}

function unknownField(
  path: readonly (string | number)[],
  { properties = {} }: Record<string, unknown>,
  remarks: Remarks | undefined,
): Fault {
  const names = Object.keys(properties as object)
  const known = names.length === 0 ? 'none is known here' : `known are ${names.join(', ')}`
  return { path, onKey: true, message: remarks?.get(String(path.at(-1))) ?? `unknown field; ${known}` }
}

/** Characters of a name, and of a value, that are told. */
const toldName = 64
const toldValue = 40

/** `items[0].stock`, as people write it; empty for the document itself. */
export function fieldName(path: readonly (string | number)[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${tellName(key)}`))
    .join('')
}

function tellName(name: string): string {
  return cleanText(name.length > toldName ? `${name.slice(0, toldName)}…` : name)
}

function pathOf(pointer: string, root: unknown): (string | number)[] {
  let value = root
  return pointer
    .split('/')
    .slice(1)
    .map(escaped => {
      const key = escaped.replaceAll('~1', '/').replaceAll('~0', '~')
      const step = Array.isArray(value) ? Number(key) : key
      value = (value as Record<string | number, unknown>)[step]
      return step
    })
}

function schemaAt(root: TSchema, pointer: string): TSchema & Record<string, unknown> {
  let schema = root as unknown as Record<string, unknown>
  for (const key of pointer.split('/').slice(1)) schema = schema[key] as Record<string, unknown>
  return schema as TSchema & Record<string, unknown>
}

function expectation(schema: Record<string, unknown>): string {
  const { type, pattern, description, anyOf, minimum, maximum } = schema
  if (Array.isArray(anyOf)) return anyOf.map(expectation).join(', or ')
  if ('const' in schema) return show(schema.const)
  if (Array.isArray(schema.enum)) return `one of ${schema.enum.join(', ')}`
  if (pattern !== undefined) return String(description)
  switch (type) {
    case 'integer':
    case 'number': {
      const kind = type === 'integer' ? 'a whole number' : 'a number'
      if (maximum !== undefined) return `${kind} from ${figure(minimum)} to ${figure(maximum)}`
      return minimum === undefined ? kind : `${kind} from ${figure(minimum)}`
    }
    case 'array':
      return schema.minItems === undefined ? 'a list' : `a list of at least ${schema.minItems}`
    case 'string':
      return schema.maxLength === undefined
        ? 'a text'
        : `a text of ${schema.minLength ?? 0} to ${schema.maxLength}`
    case 'boolean':
      return 'true or false'
    default:
      return type === 'object' ? 'an object' : 'a value'
  }
}

const figure = (value: unknown) => Number(value).toLocaleString('en')

/** A value as a message can carry it: short, on one line, whatever it holds. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return String(value)
  return cleanText(JSON.stringify(value.length > toldValue ? `${value.slice(0, toldValue)}…` : value))
}
