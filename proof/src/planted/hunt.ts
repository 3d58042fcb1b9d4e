import { controlSeeds, type Layer, layers, seedOf, simSeed } from './layers.ts'
import { plant } from './patch.ts'
import type { LayerName, PlantedBug } from './planted-bug.ts'
import { type LayerResult, runLayer } from './run-layer.ts'
import type { SourceTree } from './tree.ts'

/** What the layers made of a bug. */
export interface Catch {
  readonly bug: PlantedBug
  readonly results: ReadonlyMap<LayerName, LayerResult>
}

export interface HuntOptions {
  readonly tree: SourceTree
  readonly minutes: number
  /** All layers of each bug, not only those up to the first that finds it. */
  readonly every: boolean
  /** The layers to run for a bug, in the order of what they cost. */
  readonly layersOf: (bug: PlantedBug) => readonly Layer[]
  readonly tell: (line: string) => void
  /** Ends the hunt. */
  readonly signal: AbortSignal
}

/** Runs a layer on the tree as it is now. */
function run(
  { tree, minutes, signal }: HuntOptions,
  layer: Layer,
  bug: PlantedBug | null,
): Promise<LayerResult> {
  const { root, scratch } = tree
  const command = layer.command(root, bug, minutes)
  // The layers that end by themselves may take a little longer.
  return runLayer({ root, scratch, command, read: layer.reader(), seconds: minutes * 60 + 5, signal })
}

/**
 * Whether a layer finds nothing where nothing is planted. Throws where it does: what it finds afterwards says nothing
 * about the bugs.
 */
export async function control(
  options: HuntOptions,
  layer: Layer,
  bugs: readonly PlantedBug[],
): Promise<void> {
  const tests = [...new Set(bugs.flatMap(bug => bug.tests ?? ['']))]
  const { outcome, seconds, finding } = await run(
    options,
    layer,
    layer.name === 'tests' ? { ...nothing, tests } : null,
  )
  options.tell(`control: ${layer.name} ${outcome}, ${seconds.toFixed(0)} s`)
  if (outcome === 'found' || outcome === 'broken')
    throw new Error(`${layer.name} does not pass with nothing planted: ${finding}`)
}

const nothing: PlantedBug = { name: 'nothing', what: '', patches: [], layers: [] }

/** Plants a bug and lets the layers look for it. */
export async function hunt(options: HuntOptions, bug: PlantedBug): Promise<Catch> {
  const { tree, layersOf, every, tell } = options
  const results = new Map<LayerName, LayerResult>()
  for (const layer of layersOf(bug)) {
    const takeOut = plant(bug, tree.root)
    let result: LayerResult
    try {
      result = await run(options, layer, bug)
    } finally {
      takeOut()
    }
    if (layer.name === 'sim' && result.outcome === 'found') await passesWithout(options, result)
    results.set(layer.name, result)
    tell(`${bug.name}: ${layer.name} ${result.outcome}, ${result.seconds.toFixed(1)} s ${result.finding}`)
    if (result.outcome === 'found' && !every) break
  }
  return { bug, results }
}

/** The seed that finds a bug must find nothing without it. */
async function passesWithout(
  { tree, minutes, signal }: HuntOptions,
  { finding }: LayerResult,
): Promise<void> {
  const { root, scratch } = tree
  const seed = seedOf(finding)
  if (seed <= controlSeeds(minutes)) return
  const command = simSeed(seed)
  const { outcome } = await runLayer({ root, scratch, command, read: () => '', seconds: 600, signal })
  if (outcome !== 'passed') throw new Error(`with nothing planted the simulator finds it too: ${finding}`)
}

/** The layers that a bug is for and that the tree has. */
export function layersFor(tree: SourceTree, names: readonly LayerName[]): Layer[] {
  return layers.filter(({ name, needs }) => names.includes(name) && tree.has(needs))
}
