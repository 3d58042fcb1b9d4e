import { readFileSync } from 'node:fs'

// Read, not imported: the file stands outside of what is compiled, one level up from src and from dist alike.
const file = new URL('../package.json', import.meta.url)

export const version = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
