import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../corpus/', import.meta.url))

/** The inputs of a target that are kept, one a file, each named by its hash. */
export class Corpus {
  readonly directory: string

  constructor(target: string) {
    this.directory = join(root, target)
  }

  read(): Uint8Array[] {
    return this.#files().map(name => new Uint8Array(readFileSync(join(this.directory, name))))
  }

  /** Keeps these and no others. */
  replace(inputs: readonly Uint8Array[]): void {
    const names = new Set(inputs.map(nameOf))
    for (const name of this.#files()) if (!names.has(name)) rmSync(join(this.directory, name))
    for (const input of inputs) this.#write(this.directory, input)
  }

  /** Saves an input that something is wrong with. Returns its path. */
  saveFound(input: Uint8Array): string {
    return this.#write(join(this.directory, 'found'), input)
  }

  #files(): string[] {
    mkdirSync(this.directory, { recursive: true })
    return readdirSync(this.directory)
      .filter(name => name.endsWith('.bin'))
      .sort()
  }

  #write(directory: string, input: Uint8Array): string {
    mkdirSync(directory, { recursive: true })
    const path = join(directory, nameOf(input))
    writeFileSync(path, input)
    return path
  }
}

function nameOf(input: Uint8Array): string {
  return `${createHash('sha256').update(input).digest('hex').slice(0, 16)}.bin`
}
