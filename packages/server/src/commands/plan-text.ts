import { styleText } from 'node:util'
import type { ItemManifest, Json } from '@kuji/engine/contract'
import type { Difference } from '../pool-differences.ts'
import { changesSomething, type Outcome, type Plan } from './plan.ts'

type Colour = 'green' | 'red' | 'yellow' | 'bold' | 'dim'

/** Coloured on a terminal that takes colours, and not where NO_COLOR says so. */
const paint = (colour: Colour, text: string) => styleText(colour, text, { stream: process.stdout })

/** A plan for people: every field that would change, with what it is and what it would be. */
export function formatPlan({ manifest, live, differences }: Plan): string {
  const name = paint('bold', manifest.id)
  if (live === undefined) return `${name}: a new pool\n${describeNew(manifest.items, manifest)}`
  if (differences.length === 0) return `${name}: no change (version ${live.version})\n`
  const width = Math.max(...differences.map(({ field }) => field.length))
  const drawn = new Map(live.items.map(item => [`items.${item.id}`, item.drawn]))
  const lines = differences.map(difference => {
    const note = difference.wanted === undefined ? describeDrawn(drawn.get(difference.field)) : ''
    return describeDifference(difference, width, note)
  })
  return `${name}: version ${live.version} → ${live.version + 1}\n${lines.join('')}`
}

function describeNew(items: readonly ItemManifest[], rules: Plan['manifest']): string {
  const { mode = 'weighted', fallback, lastOne, metadata } = rules
  const fields: [string, Json | undefined][] = [
    ...([['mode', mode] as const, ['fallback', fallback], ['lastOne', lastOne]] as [
      string,
      Json | undefined,
    ][]),
    ['metadata', metadata],
    ...items.map(({ id, ...item }): [string, Json] => [`items.${id}`, item as Json]),
  ]
  const there = fields.filter(([, value]) => value !== undefined)
  const width = Math.max(...there.map(([field]) => field.length))
  return (
    there.map(([field, value]) => paint('green', `  + ${field.padEnd(width)}  ${show(value)}`)).join('\n') +
    '\n'
  )
}

function describeDifference({ field, live, wanted }: Difference, width: number, note: string): string {
  const name = field.padEnd(width)
  if (live === undefined) return `${paint('green', `  + ${name}  ${show(wanted)}`)}\n`
  if (wanted === undefined) return `${paint('red', `  - ${name}  ${show(live)}`)}${note}\n`
  return `${paint('yellow', `  ~ ${name}`)}  ${paint('red', show(live))} → ${paint('green', show(wanted))}\n`
}

function describeDrawn(drawn: number | undefined): string {
  return drawn === undefined || drawn === 0 ? '' : paint('dim', `  (drawn: ${drawn})`)
}

/** `weight 10, stock 100` for an item, JSON otherwise; on one line, and without what could steer a terminal. */
function show(value: Json | undefined): string {
  const isItem = typeof value === 'object' && value !== null && Object.hasOwn(value, 'stock')
  const text = isItem
    ? Object.entries(value)
        .map(([name, inner]) => `${name} ${showPlain(inner)}`)
        .join(', ')
    : showPlain(value)
  return text.replaceAll(
    /\p{Cc}/gu,
    character => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  )
}

const showPlain = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** What came of a plan, for people. */
export function formatOutcome({ plan, result, refusal }: Outcome): string {
  const { id } = plan.manifest
  if (refusal !== undefined) {
    const hint =
      refusal.code === 'VERSION_CONFLICT'
        ? '. Somebody else has changed it; run this again to see what is new'
        : ''
    return `${id}: not applied: ${refusal.code}: ${refusal.message}${hint}\n`
  }
  if (result === undefined) return `${id}: no change\n`
  return `${id}: ${result.created ? 'created' : 'applied'}, version ${result.version}\n`
}

/** The same for programs. */
export function encodeOutcome({ plan, result, refusal }: Outcome): object {
  const { manifest, live, differences } = plan
  const action = live === undefined ? 'create' : changesSomething(plan) ? 'change' : 'none'
  return {
    id: manifest.id,
    action,
    ...(live === undefined ? {} : { liveVersion: live.version }),
    differences: differences.map(({ field, live: present, wanted }) => ({ field, live: present, wanted })),
    ...(result === undefined ? {} : { version: result.version }),
    ...(refusal === undefined ? {} : { refusal: { code: refusal.code, detail: refusal.message } }),
  }
}
