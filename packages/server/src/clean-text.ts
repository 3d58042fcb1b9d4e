/**
 * A text from outside as it can be told: it forges no line, sends no control sequence to a terminal, and does not turn
 * the direction in which a line is read.
 */
export function cleanText(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, character => {
    const code = character.codePointAt(0)!.toString(16).padStart(4, '0')
    return `\\u${code}`
  })
}
