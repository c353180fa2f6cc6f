import { compareLogEntries, type LogEntry } from './log-line.ts'
import { mergeLogs } from './log-merge.ts'
import { HostLogReader, type LogFiles } from './log-reader.ts'

export interface LogTailOptions {
  readonly files: LogFiles
  /** RFC 3339 in UTC with milliseconds, or empty for all. */
  readonly since: string
  /** Only this host's lines. */
  readonly host?: string
}

/** What one poll yields of one host at most: a flood is shown in portions instead of being gathered. */
const BATCHES_LIMIT = 16
/** New hosts are looked for every so many polls. */
const HOSTS_EVERY = 10

/** The logs of all hosts as one: first what there is, then what comes. */
export class LogTail {
  private readonly options: LogTailOptions
  private readonly readers = new Map<string, HostLogReader>()
  private polls = 0

  constructor(options: LogTailOptions) {
    this.options = options
  }

  /** Everything there is, merged. To be called once, before `poll`. */
  async *history(): AsyncGenerator<LogEntry> {
    await this.lookForHosts()
    yield* mergeLogs([...this.readers.values()].map(reader => reader.entries(this.options.files)))
  }

  /** What has come since, in the order of the merge as far as it has arrived. */
  async poll(): Promise<LogEntry[]> {
    if (++this.polls % HOSTS_EVERY === 0) await this.lookForHosts()
    const entries: LogEntry[] = []
    for (const reader of this.readers.values()) {
      for (let batches = 0; batches < BATCHES_LIMIT; batches++) {
        const batch = await reader.read(this.options.files)
        if (batch.length === 0) break
        entries.push(...batch)
      }
    }
    return entries.sort(compareLogEntries)
  }

  private async lookForHosts(): Promise<void> {
    const { files, host, since } = this.options
    for (const name of host === undefined ? await files.hosts() : [host]) {
      if (!this.readers.has(name)) this.readers.set(name, new HostLogReader(name, since))
    }
  }
}
