import { parseJson } from '../bounded-json.ts'

/** Parses a body. An empty text counts as no body, since many clients send the content type with none. */
export function parseBody(text: string): unknown {
  return text === '' ? undefined : parseJson(text, 'the body')
}
