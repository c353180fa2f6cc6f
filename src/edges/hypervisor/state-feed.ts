import { constants } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { runOrFail, start } from '../command.ts'

/** Making a file name. */
const PIPE_LIMIT_MS = 2_000
const WAKE_EVERY_MS = 50
/** Of zstd's words. */
const WORDS_CHARACTERS = 300

/**
 * A named pipe that libvirtd reads a saved state from: a header, then what zstd unpacks from the shared area. Neither libvirtd nor this
 * program opens the file there, so a hung share hangs a child and nothing else; and nothing of the state's size is written on this host.
 */
export class StateFeed {
  readonly path: string
  private readonly child: ReturnType<typeof start>
  /** Holds the pipe open, so that neither end waits for the other to open it. */
  private readonly keeper: FileHandle
  private readonly ended: Promise<void>
  private is_over = false
  private said = ''

  private constructor(path: string, keeper: FileHandle, child: ReturnType<typeof start>) {
    this.path = path
    this.keeper = keeper
    this.child = child
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.said = (this.said + text).slice(-WORDS_CHARACTERS) })
    this.ended = new Promise<void>(resolve => {
      child.once('error', error => { this.said = error.message; resolve() })
      child.once('close', () => resolve())
    }).then(() => this.letGo())
  }

  /** `header` must fit into a pipe (64 KB). */
  static async open(path: string, header: Buffer, state_path: string): Promise<StateFeed> {
    await rm(path, { force: true })
    await runOrFail('mkfifo', ['-m', '600', path], { limit_ms: PIPE_LIMIT_MS })
    const keeper = await open(path, 'r+')
    try {
      await keeper.write(header)
      const writer = await open(path, 'w')
      try {
        return new StateFeed(path, keeper, start('zstd', ['-dcq', '--', state_path], { stdout: writer.fd }))
      } finally {
        await writer.close()
      }
    } catch (error) {
      await keeper.close()
      throw error
    }
  }

  /** Why the state could not be unpacked; empty when nothing was said. */
  get words(): string {
    return this.said.trim()
  }

  /** The reader finds the end of the file now. */
  cut(): void {
    this.child.kill('SIGKILL')
  }

  /** To be called when the reader has ended, or is waited for no more. */
  async end(): Promise<void> {
    this.is_over = true
    this.cut()
    await this.ended
    await rm(this.path, { force: true })
  }

  /** A reader that comes when the writer has failed already would wait for a writer for ever: it is given one that says nothing. */
  private async letGo(): Promise<void> {
    await this.keeper.close()
    for (;;) {
      const writer = await open(this.path, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => undefined)
      await writer?.close()
      if (this.is_over) return
      await sleep(WAKE_EVERY_MS)
    }
  }
}
