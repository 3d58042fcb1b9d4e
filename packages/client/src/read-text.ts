/** The text of an answer. Throws where it is larger than `mostBytes`, and reads no further. */
export async function readText(response: Response, mostBytes: number): Promise<string> {
  // Null where there is no body, or a `fetch` of the caller's own that has no streams.
  if (!response.body) return response.text()
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.length
    if (bytes > mostBytes) {
      void reader.cancel().catch(() => {})
      throw new Error(`the answer is larger than ${mostBytes.toLocaleString('en')} bytes`)
    }
    text += decoder.decode(value, { stream: true })
  }
}
