import { KujiError } from '@kuji/engine/contract'

/** The key in `Bearer KEY` (RFC 6750), the value of an `authorization` header. Throws `UNAUTHENTICATED`. */
export function readBearer(authorization: string): string {
  const [, key] = /^bearer +(\S+) *$/i.exec(authorization) ?? []
  if (key === undefined) throw new KujiError('UNAUTHENTICATED', 'Authorization: expected "Bearer" and a key')
  return key
}
