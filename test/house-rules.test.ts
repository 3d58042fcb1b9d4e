import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { listFiles, readSection, readTable, readText, root } from './support/repository.ts'
import { readSourceFiles, type SourceFile } from './support/source-files.ts'

const fileLines = 400
const functionLines = 60
const lineCharacters = 120

/** Files that are longer, each with its reason. */
const longFiles = new Map<string, string>([])

/** Files that a program starts from: nobody imports them, and all that they export is used by others. */
const entryPoints = new Set([
  'packages/engine/src/index.ts',
  'packages/engine/src/contract/index.ts',
  'packages/client/src/index.ts',
  'packages/server/src/main.ts',
  'bench/src/main.ts',
  'bench/src/process-of-group.ts',
  'bench/src/peers/main.ts',
  'proof/src/bit-flips/main.ts',
  'proof/src/crash-points/main.ts',
  'proof/src/history/index.ts',
  'proof/src/chaos/main.ts',
  'proof/src/planted/main.ts',
  'proof/src/fuzz/main.ts',
  'proof/src/sim/main.ts',
  'proof/src/sim/seed-worker.ts',
  'proof/src/statistics/main.ts',
])

/** Exports that no source file uses, each with its reason. */
const seams = new Map([
  [
    'packages/engine/src/open.ts: openIn',
    'where tests and simulators put their own disk, clock and randomness',
  ],
  ['packages/engine/src/open.ts: World', 'the parameter of openIn'],
  ['packages/engine/src/inspect/repair.ts: repairOn', 'where tests put their own disk'],
  ['packages/engine/src/random/deterministic.ts: deterministicRandom', 'the words of tests and simulations'],
])

/** Rooms of the engine that see no disk, clock, thread or random source, and the files they may import. */
const pureRooms = ['contract', 'keys', 'pool', 'sampler', 'record'].map(
  room => `packages/engine/src/${room}/`,
)
const pureImports = [...pureRooms, 'packages/engine/src/random/random-words.ts']
const impureGlobals = [
  ...['process', 'performance', 'Date', 'crypto', 'fetch', 'console', 'Worker', 'Math.random'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
]

const files = listFiles()
const texts = new Map(files.filter(isText).map(file => [file, readText(file)]))
const sources = readSourceFiles()
const production = [...sources.values()].filter(({ path }) =>
  /^(?:packages\/[^/]+|bench|proof)\/src\//.test(path),
)
const packages = new Map(
  files
    .filter(file => basename(file) === 'package.json')
    .map(file => [file, JSON.parse(readText(file)) as PackageFile]),
)

interface PackageFile {
  readonly name: string
  readonly version: string
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
  readonly publishConfig?: { readonly access?: string }
}

function isText(file: string): boolean {
  return /\.(?:[cm]?[jt]s|json|md|ya?ml|sh)$|^\.ci\/run$|^[^.]+$/.test(file) && file !== 'package-lock.json'
}

function isPure({ path }: SourceFile): boolean {
  return pureRooms.some(room => path.startsWith(room))
}

/** Fails with every violation, one a line. */
function assertNone(violations: readonly string[], rule: string): void {
  if (violations.length > 0) assert.fail(`${rule}:\n  ${violations.join('\n  ')}\n`)
}

/** Says why a file may not import this, or undefined where it may. */
function judgeImport(path: string, specifier: string, file: string | undefined): string | undefined {
  const from = /^(?:packages\/[^/]+|[^/]+)/.exec(path)![0]
  if (file !== undefined) {
    if (path.startsWith('packages/engine/src/contract/') && !file.startsWith('packages/engine/src/contract/'))
      return 'contract imports nothing but its own folder'
    if (file.startsWith('packages/server/'))
      // Fuzzers reach the parsers that no package gives away.
      return from === 'packages/server' || path.startsWith('proof/src/fuzz/')
        ? undefined
        : 'nothing imports server'
    const within = file.startsWith(`${from}/src/`) || ['bench', 'proof'].includes(from)
    return within ? undefined : 'another package is imported by its name'
  }
  const bare = specifier.startsWith('node:') ? 'node:' : specifier
  const allowed: Record<string, (name: string) => boolean> = {
    'packages/engine': name => name === 'node:',
    'packages/server': name => name !== 'kuji',
    // Runs in a browser too.
    'packages/client': name => name === '@kuji/engine/contract',
    console: name => !name.startsWith('@kuji/') || name === '@kuji/client',
    bench: () => true,
    proof: () => true,
  }
  return allowed[from]?.(bare) === false ? `${from} does not import ${specifier}` : undefined
}

test('imports run one way: console, client, contract; server, client, engine; and nothing imports server', () => {
  const violations: string[] = []
  for (const { path, imports } of production) {
    for (const { specifier, file } of imports) {
      const why = judgeImport(path, specifier, file)
      if (why !== undefined) violations.push(`${path} imports ${specifier}: ${why}`)
    }
  }
  assertNone(violations, 'imports against the direction of ARCHITECTURE.md')
})

test('contract, keys, pool, sampler and record see no disk, clock, thread or random source', () => {
  const violations: string[] = []
  for (const source of production.filter(isPure)) {
    for (const { specifier, file } of source.imports) {
      if (file === undefined || !pureImports.some(place => file.startsWith(place)))
        violations.push(`${source.path} imports ${specifier}`)
    }
    for (const name of impureGlobals)
      if (source.names.has(name)) violations.push(`${source.path} uses ${name}`)
  }
  assertNone(violations, 'what these need comes in as a parameter')
})

test('nothing in src uses Math.random', () => {
  const users = production.filter(({ names }) => names.has('Math.random')).map(({ path }) => path)
  assertNone(users, 'Math.random can be computed from its outputs')
})

test('files, lines and functions are short enough to be read at a glance', () => {
  const violations: string[] = []
  for (const [file, text] of texts) {
    if (!file.endsWith('.ts')) continue
    const lines = text.split('\n')
    if (lines.length - 1 > fileLines && !longFiles.has(file))
      violations.push(`${file}: ${lines.length - 1} lines`)
    for (const [index, line] of lines.entries()) {
      const characters = [...line].length
      if (characters > lineCharacters) violations.push(`${file}:${index + 1}: ${characters} characters`)
    }
  }
  for (const { path, functions } of production) {
    for (const { name, line, lines } of functions)
      if (lines > functionLines) violations.push(`${path}:${line}: ${name} has ${lines} lines`)
  }
  assertNone(violations, 'too long')
})

test('no source file is dead, and no export is there for nobody or for tests alone', () => {
  const used = new Map<string, Set<string>>()
  for (const { imports } of production) {
    for (const { file, names } of imports) {
      if (file === undefined) continue
      const taken = used.get(file) ?? new Set()
      for (const name of names) taken.add(name)
      used.set(file, taken)
    }
  }
  const violations: string[] = []
  for (const { path, exports } of production) {
    if (entryPoints.has(path)) continue
    const taken = used.get(path)
    const left = exports.filter(({ name }) => !seams.has(`${path}: ${name}`))
    if (taken === undefined && (left.length > 0 || exports.length === 0))
      violations.push(`${path}: imported by nobody`)
    if (taken === undefined || taken.has('*')) continue
    for (const { name, spokenOf } of left)
      if (!taken.has(name) && !spokenOf) violations.push(`${path}: ${name}`)
  }
  assertNone(violations, 'dead files and exports')
  const absent = [...entryPoints].filter(path => !sources.has(path))
  const unknown = [...seams.keys()].filter(seam => {
    const [path = '', name] = seam.split(': ')
    return !sources.get(path)?.exports.some(entry => entry.name === name)
  })
  assertNone([...absent, ...unknown], 'named above, and not there')
})

test('nothing is left for later without an issue', () => {
  const marks = new RegExp(`\\b(?:${['FIX' + 'ME', 'TO' + 'DO', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`)
  const violations: string[] = []
  for (const [file, text] of texts) {
    for (const [index, line] of text.split('\n').entries())
      if (marks.test(line)) violations.push(`${file}:${index + 1}: ${line.trim()}`)
  }
  assertNone(violations, 'leftovers')
})

test('files are named in kebab-case, tests for what they show', () => {
  const violations: string[] = []
  for (const file of files.filter(name => name.endsWith('.ts'))) {
    const name = basename(file)
    if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*(?:\.test)?\.ts$/.test(name)) violations.push(`${file}: kebab-case`)
    if (!name.endsWith('.test.ts')) continue
    if (/\d/.test(name)) violations.push(`${file}: a number says nothing to its reader`)
    if (/^(?:fix|bug|issue|misc|various|new|old)\b/.test(name)) violations.push(`${file}: what does it show?`)
  }
  assertNone(violations, 'names')
})

test('the engine depends on nothing, and the packages have one version', () => {
  const engine = packages.get('packages/engine/package.json')!
  assert.deepEqual(Object.keys(engine.dependencies ?? {}), [])
  const { version } = packages.get('package.json')!
  const own = [...packages.values()].flatMap(({ dependencies = {} }) => Object.entries(dependencies))
  for (const [file, entry] of packages) assert.equal(entry.version, version, file)
  for (const [name, range] of own) if (name.startsWith('@kuji/')) assert.equal(range, version, name)
})

test('a package is published with a page about it and its licence, and for everybody', () => {
  const violations: string[] = []
  for (const [file, { name, publishConfig }] of packages) {
    if (!file.startsWith('packages/')) continue
    const directory = dirname(file)
    if (!files.includes(`${directory}/README.md`)) violations.push(`${name}: no README.md`)
    const licence = `${directory}/LICENSE`
    if (!files.includes(licence) || readText(licence) !== readText('LICENSE'))
      violations.push(`${name}: not the licence of the repository`)
    // What has a scope is private unless it says otherwise.
    if (name.startsWith('@') && publishConfig?.access !== 'public') violations.push(`${name}: not public`)
  }
  assertNone(violations, 'published')
})

test('dependencies are those that ARCHITECTURE.md gives reasons for', context => {
  if (!existsSync(join(root, 'ARCHITECTURE.md'))) return context.skip('there is no ARCHITECTURE.md yet')
  const rows = readTable(readSection(readText('ARCHITECTURE.md'), '## Dependencies'))
  const listed = rows.map(([name]) => name!).sort()
  const declared = [...packages.values()]
    .flatMap(({ dependencies, devDependencies }) => Object.keys({ ...dependencies, ...devDependencies }))
    .filter(name => !name.startsWith('@kuji/'))
  assert.deepEqual(listed, [...new Set(declared)].sort())
})

test('no two files are the same', () => {
  const byDigest = new Map<string, string>()
  const violations: string[] = []
  for (const file of files.filter(name => !name.includes('/golden/'))) {
    const content = readFileSync(join(root, file))
    if (content.length === 0) continue
    const digest = createHash('sha256').update(content).digest('hex')
    const twin = byDigest.get(digest)
    if (twin === undefined) byDigest.set(digest, file)
    // Two packages that are built the same way say so twice, and each is published with its licence.
    else if (!['tsconfig.build.json', 'LICENSE'].includes(basename(file)))
      violations.push(`${file} is ${twin}`)
  }
  assertNone(violations, 'copies')
})

test("no file speaks of a path on one person's machine", () => {
  const machinePath = /(?<![\w.~-])\/(?:work|root|home\/\w+|Users\/\w+)\/[\w.-]/
  const violations: string[] = []
  for (const [file, text] of texts) {
    for (const [index, line] of text.split('\n').entries())
      if (machinePath.test(line)) violations.push(`${file}:${index + 1}: ${line.trim()}`)
  }
  assertNone(violations, 'machine paths')
})
