import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml'

/** Characters of a syntax error that are told. */
const messageLength = 160

/** A parsed YAML text that can say on which line a field stands. */
export interface YamlDocument {
  readonly value: unknown
  /** Syntax errors, each as `file:line:column: message`; `value` means nothing when there are any. */
  readonly errors: readonly string[]
  /** `file:line:column` of a field, or of the nearest one around it that is there. */
  place(path: readonly (string | number)[], onKey?: boolean): string
}

export function parseYaml(text: string, fileName: string): YamlDocument {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter,
    stringKeys: true,
    prettyErrors: false,
    // Its own check compares each key of a map with each other one; see findRepeated.
    uniqueKeys: false,
    // `silent` would pass over a second document.
    logLevel: 'error',
  })
  const placeAt = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset)
    return `${fileName}:${line}:${col}`
  }
  // A warning (an unknown tag, say) means that a value is not what its author takes it for.
  const told = [...document.errors, ...document.warnings].map(({ pos, message }) => ({ at: pos[0], message }))
  const errors = [...told, ...findRepeated(document)]
    .sort((a, b) => a.at - b.at)
    .map(({ at, message }) => `${placeAt(at)}: ${shorten(message)}`)
  let value: unknown
  try {
    if (errors.length === 0) value = document.toJS()
  } catch (error) {
    // An alias that points nowhere, or more aliases than a person would write.
    errors.push(`${fileName}: ${shorten((error as Error).message)}`)
  }
  return { value, errors, place: (path, onKey = false) => placeAt(findOffset(document, path, onKey)) }
}

/** Keys that a map has had before. */
function findRepeated(document: Document.Parsed): { at: number; message: string }[] {
  const repeated: { at: number; message: string }[] = []
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key
        if (seen.has(name)) repeated.push({ at: startOf(key) ?? 0, message: 'Map keys must be unique' })
        seen.add(name)
      }
    },
  })
  return repeated
}

/** On one line, and without what could steer a terminal: the parser repeats what it does not expect, however long. */
function shorten(message: string): string {
  const line = message.replaceAll(/[\s\p{Cc}]+/gu, ' ')
  return line.length > messageLength ? `${line.slice(0, messageLength)}…` : line
}

function findOffset(document: Document.Parsed, path: readonly (string | number)[], onKey: boolean): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const [depth, key] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find(({ key: name }) => String(name) === String(key))
      if (!pair) break
      node = pair.value
      const last = depth === path.length - 1
      offset = (last && onKey ? startOf(pair.key) : startOf(node)) ?? startOf(pair.key) ?? offset
    } else if (isSeq(node)) {
      node = node.items[Number(key)]
      offset = startOf(node) ?? offset
    } else break
  }
  return offset
}

const startOf = (node: unknown) => (node as Node | null | undefined)?.range?.[0]
