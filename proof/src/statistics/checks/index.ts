import type { Check } from '../check.ts'
import { changedChecks } from './changed.ts'
import { requestChecks } from './requests.ts'
import { serialChecks } from './serial.ts'
import { urnChecks } from './urns.ts'
import { weightedChecks } from './weighted.ts'

/** All checks. Chances are corrected by their number. */
export const checks: readonly Check[] = [
  ...weightedChecks,
  ...changedChecks,
  ...requestChecks,
  ...serialChecks,
  ...urnChecks,
]
