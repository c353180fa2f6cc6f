import { lstat } from 'node:fs/promises'
import { watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'

/** The notification comes within milliseconds; the poll is for file systems without it, and short because the stop has 2 s in all. */
const POLL_MS = 200

/**
 * Watches for the flag file in the local area (thesis 5.2.3): notification by the kernel, and a poll in case that fails.
 * Only a local folder may be watched: the shared area could hang the process.
 */
export class FlagWatch {
  private readonly file: string
  private watcher: FSWatcher | undefined
  private poll: NodeJS.Timeout | undefined
  private standing = false
  private closed = false
  private waiting: { readonly wanted: boolean; readonly end: () => void }[] = []

  constructor(file: string) {
    this.file = file
  }

  get present(): boolean {
    return this.standing
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    try {
      this.watcher = watch(dirname(this.file), { persistent: false }, (_, name) => {
        if (name === null || name === basename(this.file)) void this.look()
      })
      this.watcher.on('error', () => this.watcher?.close())
    } catch {
      // No notification on this file system, or the folder is not there yet: the poll goes on.
    }
    await this.look()
    this.schedule()
  }

  /** Resolves when the flag is there (`wanted` true) or gone, or at the abort. */
  until(wanted: boolean, signal: AbortSignal): Promise<void> {
    if (this.standing === wanted || signal.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const waiter = { wanted, end: (): void => {
        signal.removeEventListener('abort', waiter.end)
        this.waiting = this.waiting.filter(each => each !== waiter)
        resolve()
      } }
      this.waiting.push(waiter)
      signal.addEventListener('abort', waiter.end)
    })
  }

  close(): void {
    this.closed = true
    clearTimeout(this.poll)
    this.watcher?.close()
  }

  private schedule(): void {
    if (this.closed) return
    this.poll = setTimeout(() => void this.look().then(() => this.schedule()), POLL_MS)
  }

  /** Whatever stands there counts; only "no such file" means gone: an error of the local disk must not end management. */
  private async look(): Promise<void> {
    let there: boolean
    try {
      await lstat(this.file)
      there = true
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))) return
      there = false
    }
    this.standing = there
    for (const waiter of this.waiting.filter(each => each.wanted === there)) waiter.end()
  }
}
