import { runCommand } from '../command/command.ts'
import { type Catch, control, type HuntOptions, hunt, layersFor } from './hunt.ts'
import { type PlantedOptions, parseOptions, usage } from './options.ts'
import type { LayerName, PlantedBug } from './planted-bug.ts'
import { finderOf, toMarkdown, toText } from './report.ts'
import { SourceTree } from './tree.ts'

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const warn = (text: string): void => void process.stderr.write(`${text}\n`)

function namesOf({ layer, quick }: PlantedOptions, bug: PlantedBug): readonly LayerName[] {
  const names = quick ? [bug.quick!] : bug.layers
  return layer === '' ? names : names.filter(name => name === layer)
}

async function huntAll(options: PlantedOptions, tree: SourceTree, signal: AbortSignal): Promise<boolean> {
  const { bugs, minutes, every, markdown } = options
  const settings: HuntOptions = {
    tree,
    minutes,
    every,
    layersOf: bug => layersFor(tree, namesOf(options, bug)),
    tell: warn,
    signal,
  }
  for (const layer of layersFor(
    tree,
    bugs.flatMap(bug => namesOf(options, bug)),
  ))
    await control(
      settings,
      layer,
      bugs.filter(bug => settings.layersOf(bug).includes(layer)),
    )
  const catches: Catch[] = []
  for (const bug of bugs) catches.push(await hunt(settings, bug))
  say(markdown ? toMarkdown(catches) : toText(catches))
  const missed = catches.filter(caught => finderOf(caught) === undefined)
  say(`${catches.length - missed.length} of ${catches.length} found`)
  return missed.length === 0
}

async function main(options: PlantedOptions): Promise<number> {
  if (options.list) {
    for (const { name, what, layers } of options.bugs) say(`${name} (${layers.join(', ')})\n    ${what}`)
    say(`${options.bugs.length} bugs`)
    return 0
  }
  const tree = new SourceTree()
  // What a layer has started is in process groups of its own, which a signal to this one does not reach.
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new Error('interrupted')))
  try {
    return (await huntAll(options, tree, interrupted.signal)) ? 0 : 1
  } catch (error) {
    warn((error as Error).message)
    return 1
  } finally {
    try {
      tree.remove()
    } catch (error) {
      // A layer that had to be killed may have left something mounted there. It takes nothing from what was found.
      warn(`${tree.root} stays: ${(error as Error).message}`)
    }
  }
}

await runCommand(usage, parseOptions, main)
