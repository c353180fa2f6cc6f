/**
 * Cuts a stream of text into lines, with a limit: a peer that never ends its line must not fill the memory.
 * Feed it decoded text (`setEncoding('utf8')`), so that no character is cut in two.
 */
export class LineReader {
  private pending = ''
  private readonly limit_characters: number
  private readonly onLine: (line: string) => void
  private readonly onTooLong: () => void

  constructor(limit_characters: number, onLine: (line: string) => void, onTooLong: () => void) {
    this.limit_characters = limit_characters
    this.onLine = onLine
    this.onTooLong = onTooLong
  }

  feed(text: string): void {
    const parts = (this.pending + text).split('\n')
    this.pending = parts.pop() ?? ''
    for (const line of parts) {
      if (line.length > this.limit_characters) return this.onTooLong()
      if (line !== '') this.onLine(line)
    }
    if (this.pending.length > this.limit_characters) {
      this.pending = ''
      this.onTooLong()
    }
  }
}

/** The value of a JSON text, or undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
