import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** Links of the workspace, which have to lead to the copy's own packages, by where they stand in node_modules. */
const workspaceLinks = {
  '@kuji/engine': 'packages/engine',
  '@kuji/client': 'packages/client',
  kuji: 'packages/server',
}
const copied = [
  'packages',
  'proof',
  'test',
  'examples',
  'package.json',
  'tsconfig.json',
  'tsconfig.base.json',
]

/** A copy of the sources in which bugs are planted. */
export class SourceTree {
  readonly root: string
  /** For what the layers leave behind. */
  readonly scratch: string

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), 'kuji-planted-'))
    this.scratch = join(this.root, 'scratch')
    mkdirSync(this.scratch)
    for (const name of copied) {
      const filter = (source: string): boolean => !['node_modules', 'dist'].includes(basename(source))
      cpSync(join(repository, name), join(this.root, name), { recursive: true, filter })
    }
    this.#linkModules()
  }

  #linkModules(): void {
    const [source, target] = [join(repository, 'node_modules'), join(this.root, 'node_modules')]
    mkdirSync(join(target, '@kuji'), { recursive: true })
    for (const name of readdirSync(source))
      if (name !== '@kuji' && name !== 'kuji') symlinkSync(join(source, name), join(target, name))
    for (const [name, path] of Object.entries(workspaceLinks))
      symlinkSync(join(this.root, path), join(target, name))
  }

  has(file: string): boolean {
    return existsSync(join(this.root, file))
  }

  read(file: string): string {
    return readFileSync(join(this.root, file), 'utf8')
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 3 })
  }
}
