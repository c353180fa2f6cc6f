import { mkdir, open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RingwardError, reasonOf } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import { parseJson } from '../lines.ts'
import type { Share } from '../share/share.ts'

/** A local folder whose append-only files this host alone writes, and where they go in the shared area. */
export interface ShippedFolder {
  readonly local: string
  readonly share: string
  readonly suffix: string
}

export interface LogShipperOptions {
  readonly share: Pick<Share, 'writeAt' | 'readAt'>
  readonly folders: readonly ShippedFolder[]
  /** Local file that remembers how much of each file has arrived. */
  readonly state_file: string
  readonly clock: Clock
  /** The shared area stopped taking the logs, or takes them again. Called once per change. */
  readonly onProblem?: (text: string) => void
}

/** One write in flight, of this size at most: the helper's request stays small and a slow share is noticed soon. */
const CHUNK_BYTES = 64 * 1024
const WRITE_LIMIT_MS = 2_000
/** Lines of one burst travel together. */
const GATHER_MS = 50
const RETRY_MS = 1_000
/** Everything is compared again now and then, in case a file changed without a word. */
const RESCAN_MS = 60_000
/** The names logs and incident records have; anything else in the folder is somebody else's. */
const SHIPPED_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
/** What is shipped twice after a crash is the same bytes at the same place, so the offsets need not be exact. */
const REMEMBER_EVERY_MS = 5_000

/**
 * Copies local logs to the shared area, at the same offsets. It may lag for as long as the share is dead and catches up
 * afterwards; it holds one chunk in memory and never makes anybody wait. Single writer: one shipper per host.
 */
export class LogShipper {
  private readonly options: LogShipperOptions
  private readonly stopping = new AbortController()
  private readonly offsets = new Map<string, number>()
  /** Files whose shared copy was seen to reach to our offset since this process began. */
  private readonly checked = new Set<string>()
  /** Paths in the shared area that may be behind. Bounded by the files that exist. */
  private readonly behind = new Map<string, string>()
  private scan_needed = true
  private failing = false
  private unsaved = false
  /** That the memory cannot be written has been said. */
  private forgetful = false
  private saved_at_ms = 0
  private stop_wanted = false
  private wake: (() => void) | undefined
  private loop: Promise<void> | undefined

  constructor(options: LogShipperOptions) {
    this.options = options
  }

  start(): void {
    this.loop ??= this.work()
  }

  /** A local file got longer. */
  changed(path: string): void {
    const folder = this.options.folders.find(candidate => dirname(path) === candidate.local)
    if (folder) this.behind.set(`${folder.share}/${path.slice(folder.local.length + 1)}`, path)
    this.wake?.()
  }

  /** Whether everything known of has arrived. */
  get settled(): boolean {
    return !this.scan_needed && this.behind.size === 0
  }

  /** One last try to bring what is left, for `limit_ms`; then ends. */
  async stop(limit_ms = 500): Promise<void> {
    this.stop_wanted = true
    this.wake?.()
    const timer = setTimeout(() => this.stopping.abort(), limit_ms)
    await this.loop
    clearTimeout(timer)
    this.stopping.abort()
  }

  private async work(): Promise<void> {
    await this.recall()
    for (;;) {
      const last = this.stop_wanted
      const arrived = await this.pass()
      const now_ms = this.options.clock.boot_ms()
      if (this.unsaved && (last || now_ms - this.saved_at_ms >= REMEMBER_EVERY_MS)) {
        await this.remember()
        this.saved_at_ms = now_ms
      }
      if (last) return
      await this.pause(arrived)
    }
  }

  private async pause(arrived: boolean): Promise<void> {
    // Words that come while the share is dead must not shorten the pause between two tries.
    if (!arrived) return void await this.sleep(RETRY_MS, false)
    if (this.behind.size === 0) {
      const woken = await this.sleep(this.unsaved ? REMEMBER_EVERY_MS : RESCAN_MS, true)
      if (!woken && !this.unsaved) this.scan_needed = true
    }
    if (this.behind.size > 0) await this.sleep(GATHER_MS, false)
  }

  /** True when it was woken before its time; the wish to stop always wakes. */
  private async sleep(duration_ms: number, wakeable: boolean): Promise<boolean> {
    const woken = await new Promise<boolean>(resolve => {
      const timer = setTimeout(() => resolve(false), duration_ms)
      this.wake = () => {
        if (!wakeable && !this.stop_wanted) return
        clearTimeout(timer)
        resolve(true)
      }
      if (this.stop_wanted) this.wake()
    })
    this.wake = undefined
    return woken
  }

  /** Brings over what is behind; false when the share did not take all of it. */
  private async pass(): Promise<boolean> {
    let failure: unknown
    if (this.scan_needed) await this.scan()
    for (const [share_path, local_path] of [...this.behind]) {
      this.behind.delete(share_path)
      try {
        await this.ship(share_path, local_path)
      } catch (error) {
        this.behind.set(share_path, local_path)
        failure = error
        // A share that hangs will hang for the next file too; an error may be of this file alone.
        if (error instanceof RingwardError && error.code === 'SHARE_TIMEOUT' || this.stopping.signal.aborted) break
      }
    }
    if (failure !== undefined && !this.failing) this.options.onProblem?.(`logs wait on this host: ${reasonOf(failure)}`)
    if (failure === undefined && this.failing) this.options.onProblem?.('logs reach the shared area again')
    this.failing = failure !== undefined
    return !this.failing
  }

  private async scan(): Promise<void> {
    for (const folder of this.options.folders) {
      const names = await readdir(folder.local).catch(() => [])
      for (const name of names.sort()) {
        if (name.endsWith(folder.suffix) && SHIPPED_NAME.test(name)) this.behind.set(`${folder.share}/${name}`, join(folder.local, name))
      }
    }
    for (const path of this.offsets.keys()) if (!this.behind.has(path)) this.offsets.delete(path)
    this.scan_needed = false
  }

  private async ship(share_path: string, local_path: string): Promise<void> {
    const info = await stat(local_path).catch(() => undefined)
    // Removed by its retention meanwhile: nothing left to bring.
    if (!info) return void this.offsets.delete(share_path)
    const remembered = this.offsets.get(share_path) ?? 0
    // Shorter than what was shipped: another file under an old name.
    let offset = remembered > info.size ? 0 : remembered
    if (offset === info.size) return
    const file = await open(local_path, 'r')
    try {
      const chunk = Buffer.alloc(CHUNK_BYTES)
      if (offset > 0 && !this.checked.has(share_path)) {
        await file.read(chunk, 0, 1, offset - 1)
        const there = await this.options.share.readAt(share_path, offset - 1, 1, this.wait())
        // The shared copy is shorter than remembered (restored from a backup, another share): all of it again.
        if (there[0] !== chunk[0]) offset = 0
      }
      this.checked.add(share_path)
      for (;;) {
        this.offsets.set(share_path, offset)
        const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, offset)
        if (bytesRead === 0) return
        await this.options.share.writeAt(share_path, offset, Buffer.from(chunk.subarray(0, bytesRead)), this.wait())
        offset += bytesRead
        this.unsaved = true
      }
    } finally {
      await file.close()
    }
  }

  private wait(): { deadline_ms: number; signal: AbortSignal } {
    return { deadline_ms: WRITE_LIMIT_MS, signal: this.stopping.signal }
  }

  private async recall(): Promise<void> {
    const text = await readFile(this.options.state_file, 'utf8').catch(() => '{}')
    for (const [path, offset] of Object.entries(parseJson(text) ?? {})) {
      if (typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0) this.offsets.set(path, offset)
    }
  }

  private async remember(): Promise<void> {
    const { state_file } = this.options
    try {
      await mkdir(dirname(state_file), { recursive: true })
      await writeFile(`${state_file}.new`, `${JSON.stringify(Object.fromEntries(this.offsets))}\n`)
      await rename(`${state_file}.new`, state_file)
      this.unsaved = false
      this.forgetful = false
    } catch (error) {
      if (!this.forgetful) this.options.onProblem?.(`how far logs were shipped cannot be remembered: ${reasonOf(error)}; the next agent compares everything again`)
      this.forgetful = true
    }
  }
}
