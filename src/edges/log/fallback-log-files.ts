import { RingwardError, reasonOf } from '../../errors.ts'
import type { LogFiles } from './log-reader.ts'

/** While the share is silent it is asked again only every so many calls: each such call costs its whole deadline. */
const ASK_AGAIN_EVERY = 20

/**
 * The shared logs, and in their place this host's own while the shared area does not answer. Both hold the same bytes at
 * the same offsets, so a reader may be moved from one to the other within a file.
 */
export class FallbackLogFiles implements LogFiles {
  private readonly shared: LogFiles | undefined
  private readonly local: LogFiles
  private readonly onChange: (silent: boolean, reason: string) => void
  private silent = false
  private calls = 0

  /** `shared` is undefined where this host has no shared area at all. */
  constructor(shared: LogFiles | undefined, local: LogFiles, onChange: (silent: boolean, reason: string) => void) {
    this.shared = shared
    this.local = local
    this.onChange = onChange
  }

  hosts(): Promise<string[]> {
    return this.ask(files => files.hosts())
  }

  list(host: string): Promise<string[]> {
    return this.ask(files => files.list(host))
  }

  readAt(host: string, name: string, offset: number, limit: number): Promise<Buffer> {
    return this.ask(files => files.readAt(host, name, offset, limit))
  }

  private async ask<T>(question: (files: LogFiles) => Promise<T>): Promise<T> {
    if (!this.shared || this.silent && ++this.calls % ASK_AGAIN_EVERY !== 0) return question(this.local)
    try {
      const answer = await question(this.shared)
      if (this.silent) this.onChange(false, 'the shared area answers again')
      this.silent = false
      return answer
    } catch (error) {
      if (!(error instanceof RingwardError)) throw error
      if (!this.silent) this.onChange(true, reasonOf(error))
      this.silent = true
      return question(this.local)
    }
  }
}
