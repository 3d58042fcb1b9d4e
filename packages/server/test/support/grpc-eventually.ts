import { setTimeout } from 'node:timers/promises'

/** Waits until something holds; a test that waits in vain fails by the time limit of the run. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await setTimeout(5)
}
