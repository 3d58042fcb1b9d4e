import { X509Certificate } from 'node:crypto'
import { isLoopback } from './listen.ts'
import type { Configuration } from './load.ts'

const dayMs = 24 * 60 * 60 * 1000
/** Long enough to get another certificate. */
const soonDays = 14

/** What is allowed in a configuration, and still worth a line in the log at every start. */
export function findWarnings({ http, resp, grpc, tls }: Configuration, now: Date): string[] {
  const warnings: string[] = []
  const open = [http, resp, grpc].some(listen => listen !== undefined && !isLoopback(listen.host))
  if (open && tls === undefined) {
    warnings.push(
      'keys and draws travel in the clear beyond this machine: configure tls, or put a proxy that speaks it in front',
    )
  }
  if (tls !== undefined) {
    const { validToDate } = new X509Certificate(tls.cert)
    const daysLeft = Math.floor((validToDate.getTime() - now.getTime()) / dayMs)
    const day = validToDate.toISOString().slice(0, 10)
    if (daysLeft < 0) warnings.push(`the certificate has expired on ${day}`)
    else if (daysLeft < soonDays) warnings.push(`the certificate expires on ${day}`)
  }
  return warnings
}
