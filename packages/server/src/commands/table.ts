/** A column: its heading and, for numbers, alignment to the right. */
export interface Column {
  readonly heading: string
  readonly right?: boolean
}

/** Rows of text under their headings, as wide as they need to be. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ heading }, index) =>
    rows.reduce((widest, row) => Math.max(widest, row[index]?.length ?? 0), heading.length),
  )
  const line = (cells: readonly string[]) =>
    columns
      .map(({ right }, index) =>
        right ? cells[index]!.padStart(widths[index]!) : cells[index]!.padEnd(widths[index]!),
      )
      .join('  ')
      .trimEnd()
  return [line(columns.map(({ heading }) => heading)), ...rows.map(line)].map(text => `${text}\n`).join('')
}
