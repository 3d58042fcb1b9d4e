/** Files of a data directory by their path in it. */
export type FileSet = ReadonlyMap<string, Uint8Array>

const mostFiles = 24
const mostFileBytes = 256 * 1024

/**
 * Files as one input: of each the length of its path, the path, its size, the length of what is not zeros at its end
 * (segments are mostly zeros), and that. Numbers are u32.
 */
export function packFiles(files: FileSet): Uint8Array {
  const parts: Uint8Array[] = []
  for (const [path, bytes] of files) {
    const name = Buffer.from(path)
    let end = bytes.length
    while (end > 0 && bytes[end - 1] === 0) end--
    parts.push(u32(name.length), name, u32(bytes.length), u32(end), bytes.subarray(0, end))
  }
  return Buffer.concat(parts)
}

/** As many files as there are whole; what is announced is bounded. */
export function unpackFiles(input: Uint8Array): Map<string, Uint8Array> {
  const bytes = Buffer.from(input)
  const files = new Map<string, Uint8Array>()
  let at = 0
  const number = (): number => (at + 4 <= bytes.length ? bytes.readUInt32LE((at += 4) - 4) : 0)
  while (at + 12 <= bytes.length && files.size < mostFiles) {
    const nameBytes = Math.min(number(), 64)
    const name = bytes.toString('latin1', at, at + nameBytes)
    at += nameBytes
    const size = Math.min(number(), mostFileBytes)
    const end = Math.min(number(), size, bytes.length - at)
    // A memory of its own: typed views over it need its alignment.
    const content = new Uint8Array(size)
    content.set(bytes.subarray(at, at + Math.max(0, end)))
    at += Math.max(0, end)
    if (/^(?:archive\/)?[\w.-]+$/.test(name) && !/^(?:archive\/)?\.{1,2}$/.test(name))
      files.set(name, content)
  }
  return files
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
