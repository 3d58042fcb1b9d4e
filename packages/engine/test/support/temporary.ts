import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What `node:test` gives a test, as far as it is needed to clean up behind it. */
interface Cleaner {
  after(clean: () => void): void
}

/** A directory of its own for one test, removed behind it. */
export function temporaryDirectory(test: Cleaner): string {
  const directory = mkdtempSync(join(tmpdir(), 'kuji-'))
  test.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
