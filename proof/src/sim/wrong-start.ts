import type { Kuji, KujiError } from '@kuji/engine'
import type { Chance } from '../chance.ts'
import type { KeyRules } from './model/model-keys.ts'
import { Violation } from './model/violation.ts'
import type { Machine } from './world/machine.ts'

/** Rules for keys that no engine starts with. */
const wrongKeys: readonly Partial<KeyRules>[] = [
  { retentionMs: 59_999 },
  { retentionMs: 7_776_000_001 },
  { most: 0 },
  { most: 60_000_001 },
]

/** Somebody asks for what cannot be: refused by name, before anything is touched. */
export async function startWrongly(
  { disks, counts }: Machine,
  chance: Chance,
  open: (keys: Partial<KeyRules>) => Promise<Kuji>,
): Promise<void> {
  const { calls } = disks
  const code = await open(chance.pick(wrongKeys)).then(
    () => 'done',
    error => (error as KujiError).code,
  )
  if (code !== 'INVALID' || disks.calls > calls)
    throw new Violation('a start with wrong rules', `a start with wrong rules for keys: ${code}`)
  counts.add('fault: start with wrong rules for keys')
}
