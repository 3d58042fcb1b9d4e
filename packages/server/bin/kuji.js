#!/usr/bin/env node
// Starts the command: the sources (types stripped by Node) where they are, in a clone, so that `npx kuji` works in a
// fresh one and never runs an old build; the built files where they are not, in the published package. The sources need
// the `source` export condition, which only the command line can set: the process replaces itself, so that it keeps its
// pid and its signals.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `kuji needs Node 22.18 or newer, and this is ${process.versions.node}.\n` +
      'In a clone of the repository, `npm ci` brings one and `npx kuji` uses it.\n',
  )
  process.exit(1)
}
const source = fileURLToPath(new URL('../src/main.ts', import.meta.url))
if (!existsSync(source)) {
  await import('../dist/main.js')
} else {
  const nodeArguments = ['--conditions=source', '--disable-warning=ExperimentalWarning', source]
  process.execve(
    process.execPath,
    [process.execPath, ...nodeArguments, ...process.argv.slice(2)],
    process.env,
  )
}
