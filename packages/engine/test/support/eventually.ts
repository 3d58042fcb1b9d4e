import { setTimeout } from 'node:timers/promises'

/** Waits until something holds, however long the machine takes; the time limit of `npm test` names what never comes. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await setTimeout(10)
}
