import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Row } from './group.ts'
import type { Mode } from './options.ts'

/** What a group's process is asked for. */
export interface GroupOrder {
  readonly group: string
  readonly mode: Mode
  readonly rounds: number
  readonly only: string
  readonly directory: string
}

export type FromGroup =
  | { readonly kind: 'progress'; readonly text: string }
  /** A row failed or broke an invariant. */
  | { readonly kind: 'broken'; readonly text: string }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }

export interface GroupRun {
  readonly child: ChildProcess
  readonly done: Promise<{ readonly rows: readonly Row[]; readonly broken: readonly string[] }>
}

/** Runs one group in a process of its own. */
export function runGroup(order: GroupOrder, onProgress: (text: string) => void): GroupRun {
  const path = fileURLToPath(new URL('./process-of-group.ts', import.meta.url))
  const child = fork(path, [JSON.stringify(order)], { serialization: 'advanced' })
  let rows: readonly Row[] = []
  const broken: string[] = []
  child.on('message', (message: FromGroup) => {
    if (message.kind === 'rows') rows = message.rows
    else if (message.kind === 'broken') broken.push(message.text)
    else onProgress(message.text)
  })
  const done = new Promise<Awaited<GroupRun['done']>>(resolve => {
    child.once('exit', (code, signal) => {
      if (code !== 0) broken.push(`${order.group}: its process ended with ${signal ?? code}`)
      resolve({ rows, broken })
    })
  })
  return { child, done }
}
