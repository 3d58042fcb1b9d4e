import { KujiError } from '@kuji/engine/contract'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { faultsOf, fieldName } from '../schema/faults.ts'
import { DrawBody, drawRemarks } from './schemas.ts'

const remarks = new Map<TSchema, ReadonlyMap<string, string>>([[DrawBody, drawRemarks]])

/**
 * Checks a part of a request, and neither converts nor drops anything: all is as sent, or refused. A body may be left
 * out (it is null then) where none of its fields has to be there.
 */
export function compileValidator(schema: TSchema, httpPart: string | undefined) {
  const check = Compile(schema)
  const optional = httpPart === 'body' && check.Check({})
  return (sent: unknown) => {
    const value = sent === null && optional ? {} : sent
    if (check.Check(value)) return { value }
    const fault = faultsOf(check, schema, value, remarks.get(schema))[0]
    const field = (fault && fieldName(fault.path)) || (httpPart ?? 'request')
    return { error: new KujiError('INVALID', `${field}: ${fault?.message ?? 'not as expected'}`, { field }) }
  }
}
