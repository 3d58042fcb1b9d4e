import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../corpus/', import.meta.url))

/**
 * The inputs of a target that are kept, one a file, each named by its hash. Those in `fixed` have shown a defect once,
 * and stay whatever code they come to.
 */
export class Corpus {
  readonly directory: string
  readonly #fixed: string

  constructor(target: string) {
    this.directory = join(root, target)
    this.#fixed = join(this.directory, 'fixed')
  }

  read(): Uint8Array[] {
    return [this.#fixed, this.directory].flatMap(directory =>
      filesIn(directory).map(name => new Uint8Array(readFileSync(join(directory, name)))),
    )
  }

  /** Keeps these, those that are fixed, and no others. */
  replace(inputs: readonly Uint8Array[]): void {
    const fixed = new Set(filesIn(this.#fixed))
    const kept = inputs.filter(input => !fixed.has(nameOf(input)))
    const names = new Set(kept.map(nameOf))
    for (const name of filesIn(this.directory)) if (!names.has(name)) rmSync(join(this.directory, name))
    for (const input of kept) write(this.directory, input)
  }

  /** Saves an input that something is wrong with. Returns its path. */
  saveFound(input: Uint8Array): string {
    return write(join(this.directory, 'found'), input)
  }
}

function filesIn(directory: string): string[] {
  if (!existsSync(directory)) return []
  const names = readdirSync(directory).filter(name => name.endsWith('.bin'))
  return names.sort()
}

function write(directory: string, input: Uint8Array): string {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, nameOf(input))
  writeFileSync(path, input)
  return path
}

function nameOf(input: Uint8Array): string {
  return `${createHash('sha256').update(input).digest('hex').slice(0, 16)}.bin`
}
