import { closeSync, fdatasync, fstatSync, mkdirSync, openSync, readdirSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../../errors.ts'
import type { Clock } from '../clock.ts'
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
 * and survives the death of the process. It never throws: a full disk costs lines, never the care of a target.
 */
export class LocalLog {
  private readonly options: LocalLogOptions
  private sequence: number
  private file: { readonly name: string; readonly descriptor: number; size_bytes: number } | undefined
  /** The last write ended within a line. */
  private torn = false
  private lost = 0
  private full = false
  private sync_timer: NodeJS.Timeout | undefined
  private syncing: Promise<void> | undefined

  /** Opens the log; the sequence goes on from the highest number of the files that exist. */
  constructor(options: LocalLogOptions) {
    this.options = options
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
    const time = this.options.clock.wall()
    const entry: LogEntry = { time: time.toISOString(), host: this.options.host, sequence: ++this.sequence, level, incident, text }
    try {
      this.append(logFileName(time), entry)
    } catch (error) {
      this.closeFile()
      if (this.lost++ === 0) this.options.onProblem?.(`the local log cannot be written: ${reasonOf(error)}; lines are lost until it can`)
    }
    return entry
  }

  /** Resolves when every line written so far is on the disk. */
  async flush(): Promise<void> {
    clearTimeout(this.sync_timer)
    this.sync_timer = undefined
    await this.syncing
    await this.sync()
  }

  async close(): Promise<void> {
    await this.flush()
    this.closeFile()
  }

  private append(name: string, entry: LogEntry): void {
    const file = this.file?.name === name ? this.file : this.turnTo(name)
    const bytes = Buffer.from(`${this.torn ? '\n' : ''}${formatLogLine(entry)}\n`)
    if (file.size_bytes + bytes.length > (this.options.day_limit_bytes ?? DAY_LIMIT_BYTES)) {
      if (!this.full) this.options.onProblem?.(`the local log of ${name} is full; lines are lost until the next day`)
      this.full = true
      return
    }
    const written = writeSync(file.descriptor, bytes)
    file.size_bytes += written
    this.torn = written < bytes.length && (written > 0 || this.torn)
    if (written < bytes.length) throw new Error('the disk is full')
    if (this.lost > 0) this.options.onProblem?.(`the local log can be written again; ${this.lost} lines were lost`)
    this.lost = 0
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
