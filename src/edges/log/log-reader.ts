import { LINE_LIMIT_BYTES, LOG_FILE_NAME, parseLogLine, type LogEntry } from './log-line.ts'

/** Where the logs of hosts are read from: the shared area, or this host's own folder. */
export interface LogFiles {
  hosts(): Promise<string[]>
  /** Names of a host's files, sorted. */
  list(host: string): Promise<string[]>
  /** At most `limit` bytes from `offset`; empty at the end. */
  readAt(host: string, name: string, offset: number, limit: number): Promise<Buffer>
}

/** What one host's reader holds at most, besides an unfinished line. */
const CHUNK_BYTES = 64 * 1024
/** At the end of the newest file a reader looks for a newer one only every so many reads: days end rarely. */
const LIST_EVERY = 10

/**
 * Reads one host's log from a moment on, file after file, and goes on from there when asked again (`log -f`).
 * A torn last line waits for its rest; foreign lines are passed over.
 */
export class HostLogReader {
  readonly host: string
  private readonly since: string
  private names: string[] = []
  private name: string | undefined
  private offset = 0
  private rest: Buffer = Buffer.alloc(0)
  private reads_at_end = 0
  private started = false

  /** `since`: RFC 3339 in UTC with milliseconds, or empty for all. */
  constructor(host: string, since: string) {
    this.host = host
    this.since = since
  }

  /** The next entries, in their order; empty when there is nothing more for now. */
  async read(files: LogFiles): Promise<LogEntry[]> {
    if (!this.started) await this.begin(files)
    while (this.name !== undefined) {
      const chunk = await files.readAt(this.host, this.name, this.offset, CHUNK_BYTES)
      this.offset += chunk.length
      const entries = this.take(chunk)
      if (entries.length > 0) return entries
      if (chunk.length === 0 && !await this.turn(files)) return []
    }
    if (this.reads_at_end++ % LIST_EVERY === LIST_EVERY - 1) this.started = false
    return []
  }

  /** Everything there is now, one after the other. */
  async *entries(files: LogFiles): AsyncGenerator<LogEntry> {
    for (let batch = await this.read(files); batch.length > 0; batch = await this.read(files)) yield* batch
  }

  private async begin(files: LogFiles): Promise<void> {
    this.names = await this.list(files)
    this.started = true
    this.open(this.names.shift())
  }

  /** On to the next file, when there is one. */
  private async turn(files: LogFiles): Promise<boolean> {
    if (this.names.length === 0) {
      if (this.reads_at_end++ % LIST_EVERY !== 0) return false
      this.names = (await this.list(files)).filter(name => name > (this.name ?? ''))
    }
    const next = this.names.shift()
    if (next === undefined) return false
    this.open(next)
    return true
  }

  private open(name: string | undefined): void {
    this.name = name
    this.offset = 0
    this.rest = Buffer.alloc(0)
  }

  private async list(files: LogFiles): Promise<string[]> {
    const first = `${this.since.slice(0, 10)}.log`
    return (await files.list(this.host)).filter(name => LOG_FILE_NAME.test(name) && (this.since === '' || name >= first)).sort()
  }

  private take(chunk: Buffer): LogEntry[] {
    if (chunk.length === 0) return []
    const bytes = Buffer.concat([this.rest, chunk])
    const end = bytes.lastIndexOf(10) + 1
    // Bytes without any line end are no log of ours; forgetting them keeps memory bounded.
    this.rest = bytes.length - end > LINE_LIMIT_BYTES ? Buffer.alloc(0) : bytes.subarray(end)
    const entries: LogEntry[] = []
    for (const line of bytes.subarray(0, end).toString('utf8').split('\n')) {
      // A hole that a lagging shipper has not filled yet reads as zeros.
      const entry = parseLogLine(line.replace(/^\0+/, ''))
      if (entry && entry.time >= this.since) entries.push(entry)
    }
    return entries
  }
}
