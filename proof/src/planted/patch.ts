import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Patch, PlantedBug } from './planted-bug.ts'

/** Plants a bug in the tree below `root`. Returns what takes it out again. Throws where a text is not there once. */
export function plant({ name, patches }: PlantedBug, root: string): () => void {
  const before = new Map<string, string>()
  const after = new Map<string, string>()
  for (const patch of patches) {
    const { file } = patch
    const text = after.get(file) ?? readFileSync(join(root, file), 'utf8')
    if (!before.has(file)) before.set(file, text)
    after.set(file, applyPatch(name, patch, text))
  }
  for (const [file, text] of after) writeFileSync(join(root, file), text)
  return () => {
    for (const [file, text] of before) writeFileSync(join(root, file), text)
  }
}

function applyPatch(name: string, { file, find, put }: Patch, text: string): string {
  const at = text.indexOf(find)
  const times = at < 0 ? 'not there' : text.indexOf(find, at + 1) < 0 ? '' : 'there more than once'
  if (times !== '') throw new Error(`${name}: in ${file} this is ${times}:\n${find}`)
  if (find === put) throw new Error(`${name}: in ${file} nothing is changed by putting the same again`)
  return text.slice(0, at) + put + text.slice(at + find.length)
}
