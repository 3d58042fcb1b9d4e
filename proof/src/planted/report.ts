import type { Catch } from './hunt.ts'
import type { LayerName } from './planted-bug.ts'
import { layerNames } from './planted-bug.ts'
import type { LayerResult } from './run-layer.ts'

const findingCharacters = 140

/** The first layer that found it. */
export function finderOf({ results }: Catch): readonly [LayerName, LayerResult] | undefined {
  return [...results].find(([, { outcome }]) => outcome === 'found')
}

/** Where the copy of the sources is, and below it the directory of a test. */
const copy = /(?:\/[\w.-]+)*\/kuji-planted-\w+\/(?:scratch\/)?(?:kuji-\w{6}\/)?/g

function shorten(text: string): string {
  const line = text.replace(copy, '').replace(/\s+/g, ' ').trim()
  return line.length <= findingCharacters ? line : `${line.slice(0, findingCharacters - 1)}…`
}

function tellTime({ outcome, seconds }: LayerResult): string {
  const time = seconds < 10 ? `${seconds.toFixed(1)} s` : `${seconds.toFixed(0)} s`
  return outcome === 'found' ? time : outcome === 'passed' ? 'no' : `no, ${time}`
}

/** A row for each bug: what it is, how long each layer took to find it, and what was found first. */
export function toMarkdown(catches: readonly Catch[]): string {
  const used = layerNames.filter(name => catches.some(({ results }) => results.has(name)))
  const rows = catches.map(caught => {
    const { bug, results } = caught
    const finder = finderOf(caught)
    const times = used.map(name => (results.has(name) ? tellTime(results.get(name)!) : ''))
    const finding = finder === undefined ? '**found by nothing**' : escapeCell(shorten(finder[1].finding))
    return `| \`${bug.name}\` | ${escapeCell(bug.what)} | ${times.join(' | ')} | ${finding} |`
  })
  const head = `| bug | what is wrong | ${used.join(' | ')} | finding |`
  return [head, `|${' --- |'.repeat(used.length + 3)}`, ...rows].join('\n')
}

/** What stands in a cell of a table is text: no column ends in it, and no tag or mark begins. */
function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/[<`*_[\]]/g, mark => `\\${mark}`)
}

export function toText(catches: readonly Catch[]): string {
  const width = Math.max(...catches.map(({ bug }) => bug.name.length))
  return catches
    .map(caught => {
      const [layer, result] = finderOf(caught) ?? []
      const told =
        result === undefined
          ? 'NOT FOUND'
          : `${layer!.padEnd(12)} ${result.seconds.toFixed(1).padStart(6)} s  ${shorten(result.finding)}`
      return `${caught.bug.name.padEnd(width)}  ${told}`
    })
    .join('\n')
}
