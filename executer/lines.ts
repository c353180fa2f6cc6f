import type { Readable } from 'node:stream'

/** A longer line is cut: a child that never ends its line must not eat the Executer's memory. */
const LINE_CHARACTERS_MAX = 8_192

/** Calls `take` for each line of the stream, the unfinished last one included. */
export function forwardLines(stream: Readable, take: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = (lines.pop() ?? '').slice(0, LINE_CHARACTERS_MAX)
    for (const line of lines) take(line.slice(0, LINE_CHARACTERS_MAX))
  })
  stream.on('close', () => {
    if (rest !== '') take(rest)
    rest = ''
  })
  // A broken pipe says nothing that the child's end does not say.
  stream.on('error', () => undefined)
}
