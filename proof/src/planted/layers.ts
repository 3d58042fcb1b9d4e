import { globSync } from 'node:fs'
import { join } from 'node:path'
import type { LayerName, PlantedBug } from './planted-bug.ts'

/** How a layer is run on a tree, and how it says what it has found. */
export interface Layer {
  readonly name: LayerName
  /** Without this file the tree does not have the layer. */
  readonly needs: string
  /** What node is to run. */
  readonly command: (root: string, bug: PlantedBug | null, minutes: number) => readonly string[]
  /** A reader of one run's output, line by line: what was found, or '' where this line tells of nothing. */
  readonly reader: () => (line: string) => string
}

/** How the runner marks a test that is put off, spelt so that nobody takes it for one. */
const putOff = '# T\u004fDO'

/** Messages of a program that is broken, which is not the same as a promise that is. */
const brokenProgram = /is not a function|is not defined|Cannot (?:read|set) properties|SyntaxError|ERR_MODULE/

/** Seeds that the simulator has to pass with nothing planted, before anything is. */
export function controlSeeds(minutes: number): number {
  return Math.ceil(20 * minutes)
}

const engineTests = 'packages/engine/test'

/** Test files of a bug; a folder stands for those in it. */
function testFiles(root: string, names: readonly string[]): string[] {
  return names.flatMap(name =>
    name.endsWith('.ts')
      ? [name.startsWith('proof/') ? name : `${engineTests}/${name}`]
      : globSync(`${engineTests}/${name}/**/*.test.ts`, { cwd: root }).sort(),
  )
}

const runTests = ['--test', '--test-reporter=tap', '--test-timeout=120000']

/** Reads TAP: the name of a test that failed, and the first line of what it says. */
function tapReader(): (line: string) => string {
  let failed = ''
  let inError = false
  return line => {
    const [, name] = /^ *not ok \d+ - (.*)$/.exec(line) ?? []
    if (name !== undefined) {
      // A file that fails as a whole is one that could not be run.
      failed = /\.test\.ts$/.test(name) || line.includes(putOff) ? '' : name
      inError = false
      return ''
    }
    if (failed === '') return ''
    const [, error] = /^ *error: (.*)$/.exec(line) ?? []
    if (error === undefined && !inError) return ''
    if (error !== undefined && /^\|-?$|^$/.test(error)) {
      inError = true
      return ''
    }
    const told = `"${failed}": ${(error ?? line).trim().replace(/^'|'$/g, '')}`
    failed = ''
    return brokenProgram.test(told) ? '' : told
  }
}

/** Finds one pattern in a line; its first group is what was found. */
function lineReader(pattern: RegExp): () => (line: string) => string {
  return () => line => {
    const found = pattern.exec(line)?.[1] ?? ''
    return brokenProgram.test(found) ? '' : found
  }
}

/** In the order of what they cost. */
export const layers: readonly Layer[] = [
  {
    name: 'tests',
    needs: engineTests,
    command: (root, bug) => [...runTests, ...testFiles(root, bug?.tests ?? [''])],
    reader: tapReader,
  },
  {
    name: 'sim',
    needs: 'proof/src/sim/main.ts',
    command: (_, bug, minutes) =>
      bug === null
        ? ['proof/src/sim/main.ts', '--seeds', `1..${controlSeeds(minutes)}`]
        : ['proof/src/sim/main.ts', '--seed', '1', '--minutes', String(minutes)],
    reader: lineReader(/^(seed \d+: .*)$/),
  },
  {
    name: 'bit-flips',
    needs: 'proof/src/bit-flips/main.ts',
    command: () => ['proof/src/bit-flips/main.ts', '--stride', '101'],
    reader: lineReader(/^ {2}(\S.*)$/),
  },
  {
    name: 'crash-points',
    needs: 'proof/src/crash-points/main.ts',
    command: () => ['proof/src/crash-points/main.ts', '--seeds', '1..2'],
    reader: lineReader(/^(\S+, seed \d+, sectors of \d+, a crash .*)$/),
  },
  {
    name: 'chaos',
    needs: 'proof/src/chaos/main.ts',
    command: (_, bug) => {
      const mishap = bug?.mishap === undefined ? [] : ['--only', bug.mishap]
      return ['proof/src/chaos/main.ts', '--kills', '25', '--seed', '1', ...mishap]
    },
    // A request that nobody answered says nothing: why not stands in another line, or nowhere.
    reader: lineReader(/^(?: +(?=\d+ x )|FAILED (?!fetch failed))(.*)$/),
  },
  {
    name: 'statistics',
    needs: 'proof/src/statistics/main.ts',
    command: () => ['proof/src/statistics/main.ts'],
    reader: lineReader(/^(\S.* FAILED, .*)$/),
  },
]

export function seedOf(finding: string): number {
  return Number(/^seed (\d+): /.exec(finding)?.[1] ?? 0)
}

/** The command that runs one seed of the simulator. */
export function simSeed(seed: number): readonly string[] {
  return [join('proof', 'src', 'sim', 'main.ts'), '--seed', String(seed)]
}
