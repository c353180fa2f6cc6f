import { closeSync, fdatasync, fstatSync, mkdirSync, openSync, readdirSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import { Backlog } from './backlog.ts'
import { formatLogLine, LINE_LIMIT_BYTES, LOG_FILE_NAME, logFileName, parseLogLine, type LogEntry, type LogLevel } from './log-line.ts'

export interface LocalLogOptions {
  /** Folder on the host's own disk, never in the shared area. */
  readonly directory: string
  readonly host: string
  readonly clock: Clock
  /** A file got longer; the shipper wants to know. */
  readonly onWritten?: (path: string) => void
  /** The log cannot be written, or can again. Called once per change. */
  readonly onProblem?: (text: string) => void
  readonly files_limit?: number
  readonly day_limit_bytes?: number
}

/** A month of history; one file a day. */
const FILES_LIMIT = 30
/** A loop that logs must not fill the disk: 256 MB is a hundred times a busy day of a large ring. */
const DAY_LIMIT_BYTES = 256 * 1024 * 1024
/** A power cut may cost the last second of the local log; what was shipped by then stands in the shared area. */
const SYNC_AFTER_MS = 1_000

/**
 * The host's system log on its own disk. `write` is synchronous on purpose: a reason is in the file before its act (S5),
 * and survives the death of the process. It never throws: what a full disk does not take waits in memory.
 */
export class LocalLog {
  private readonly options: LocalLogOptions
  private sequence: number
  private file: { readonly name: string; readonly descriptor: number; size_bytes: number } | undefined
  /** The file ends within a line, of an agent that lost its power or of a line that was let go. */
  private torn = false
  /** A line of which the disk took only a part: the rest comes first when there is room. */
  private begun: { readonly entry: LogEntry; readonly rest: Buffer } | undefined
  private readonly backlog: Backlog<LogEntry>
  private full = false
  private sync_timer: NodeJS.Timeout | undefined
  private syncing: Promise<void> | undefined

  /** Opens the log; the sequence goes on from the highest number of the files that exist. */
  constructor(options: LocalLogOptions) {
    this.options = options
    this.backlog = new Backlog({ what: 'the local log', write: entry => this.append(entry), onProblem: options.onProblem })
    let last = 0
    try {
      mkdirSync(options.directory, { recursive: true, mode: 0o750 })
      for (const name of this.fileNames()) last = Math.max(last, lastSequence(join(options.directory, name)))
    } catch (error) {
      options.onProblem?.(`the local log ${options.directory} cannot be read: ${reasonOf(error)}`)
    }
    this.sequence = last
  }

  /** Appends one line and returns it. */
  write(level: LogLevel, text: string, incident: string | null = null): LogEntry {
    const entry: LogEntry = { time: this.options.clock.wall().toISOString(), host: this.options.host, sequence: ++this.sequence, level, incident, text }
    this.backlog.write(entry)
    return entry
  }

  /** Lines that the disk has not taken yet. */
  get unwritten(): number {
    return this.backlog.length
  }

  /** Resolves when every line the disk takes is on it. */
  async flush(): Promise<void> {
    this.backlog.end()
    clearTimeout(this.sync_timer)
    this.sync_timer = undefined
    await this.syncing
    await this.sync()
  }

  async close(): Promise<void> {
    await this.flush()
    this.closeFile()
  }

  private append(entry: LogEntry): void {
    try {
      this.appendTo(logFileName(new Date(entry.time)), entry)
    } catch (error) {
      this.closeFile()
      throw error
    }
  }

  private appendTo(name: string, entry: LogEntry): void {
    const file = this.file?.name === name ? this.file : this.turnTo(name)
    const bytes = this.torn && this.begun?.entry === entry ? this.begun.rest : Buffer.from(`${this.torn ? '\n' : ''}${formatLogLine(entry)}\n`)
    if (file.size_bytes + bytes.length > (this.options.day_limit_bytes ?? DAY_LIMIT_BYTES)) {
      if (!this.full) this.options.onProblem?.(`the local log of ${name} is full; lines are lost until the next day`)
      this.full = true
      return
    }
    const written = writeSync(file.descriptor, bytes)
    file.size_bytes += written
    if (written < bytes.length) {
      if (written > 0) this.begun = { entry, rest: bytes.subarray(written) }
      throw new Error('the disk is full')
    }
    this.torn = false
    this.begun = undefined
    this.options.onWritten?.(join(this.options.directory, name))
    this.planSync(entry.level)
  }

  /** The page of another day: the old file is closed, the oldest beyond the limit are removed. */
  private turnTo(name: string): { readonly name: string; readonly descriptor: number; size_bytes: number } {
    this.closeFile()
    mkdirSync(this.options.directory, { recursive: true, mode: 0o750 })
    const path = join(this.options.directory, name)
    const descriptor = openSync(path, 'a+', 0o640)
    const size_bytes = fstatSync(descriptor).size
    this.torn = size_bytes > 0 && readTail(descriptor, size_bytes, 1)[0] !== 10
    this.full = false
    this.file = { name, descriptor, size_bytes }
    this.removeOld(name)
    return this.file
  }

  private removeOld(present: string): void {
    try {
      const names = this.fileNames()
      for (const old of names.slice(0, Math.max(0, names.length - (this.options.files_limit ?? FILES_LIMIT)))) {
        if (old !== present) unlinkSync(join(this.options.directory, old))
      }
    } catch (error) {
      this.options.onProblem?.(`an old log of ${this.options.directory} cannot be removed: ${reasonOf(error)}`)
    }
  }

  private planSync(level: LogLevel): void {
    if (level === 'warn' || level === 'error') {
      clearTimeout(this.sync_timer)
      this.sync_timer = undefined
      if (!this.syncing) return void this.sync()
    }
    this.sync_timer ??= setTimeout(() => {
      this.sync_timer = undefined
      void this.sync()
    }, SYNC_AFTER_MS)
  }

  /** One `fdatasync` at a time, away from the event loop. */
  private sync(): Promise<void> {
    const file = this.file
    if (!file) return Promise.resolve()
    this.syncing ??= new Promise<void>(resolve => {
      // A failing disk shows itself at the next write; the descriptor may also be of yesterday and closed by now.
      fdatasync(file.descriptor, () => {
        this.syncing = undefined
        resolve()
      })
    })
    return this.syncing
  }

  private closeFile(): void {
    const file = this.file
    this.file = undefined
    try {
      if (file) closeSync(file.descriptor)
    } catch {
      // The disk failed; the write that noticed it has been reported.
    }
  }

  private fileNames(): string[] {
    return readdirSync(this.options.directory).filter(name => LOG_FILE_NAME.test(name)).sort()
  }
}

/** Sequence of the last whole line of a file, 0 when there is none. */
function lastSequence(path: string): number {
  const descriptor = openSync(path, 'r')
  try {
    const lines = readTail(descriptor, fstatSync(descriptor).size, 2 * LINE_LIMIT_BYTES).toString('utf8').split('\n')
    for (const line of lines.reverse()) {
      const entry = parseLogLine(line)
      if (entry) return entry.sequence
    }
    return 0
  } finally {
    closeSync(descriptor)
  }
}

function readTail(descriptor: number, size_bytes: number, limit_bytes: number): Buffer {
  const tail = Buffer.alloc(Math.min(size_bytes, limit_bytes))
  const read = readSync(descriptor, tail, 0, tail.length, size_bytes - tail.length)
  return tail.subarray(0, read)
}
