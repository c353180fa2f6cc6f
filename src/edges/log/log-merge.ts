import { compareLogEntries, type LogEntry } from './log-line.ts'

/**
 * Merges the logs of several hosts by (time, host, sequence). Each source keeps its own order even where its clock
 * was set back: within a host the sequence is the truth. Holds one entry per source.
 */
export async function* mergeLogs(sources: readonly AsyncIterable<LogEntry>[]): AsyncGenerator<LogEntry> {
  const heads: { readonly source: AsyncIterator<LogEntry>; entry: LogEntry }[] = []
  const open = sources.map(source => source[Symbol.asyncIterator]())
  try {
    for (const source of open) {
      const first = await source.next()
      if (!first.done) heads.push({ source, entry: first.value })
    }
    for (let head = earliest(heads); head; head = earliest(heads)) {
      yield head.entry
      const next = await head.source.next()
      if (next.done) heads.splice(heads.indexOf(head), 1)
      else head.entry = next.value
    }
  } finally {
    for (const source of open) await source.return?.()
  }
}

/** A ring has at most a few hundred hosts: looking at every head costs less than keeping a heap in order. */
function earliest<Head extends { readonly entry: LogEntry }>(heads: readonly Head[]): Head | undefined {
  let best: Head | undefined
  for (const head of heads) {
    if (!best || compareLogEntries(head.entry, best.entry) < 0) best = head
  }
  return best
}
