import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { link, lstat, mkdir, open, readdir, rename, stat, statfs, unlink, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { RingwardError, reasonOf, whenAbsent } from '../../errors.ts'
import { checkName, checkPath } from './share-names.ts'

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants

/** Temporary files of a helper that died are removed after this long; no write lasts an hour and is still wanted. */
const STALE_MS = 3_600_000
/** What is looked through in one sweep of old temporary files. */
const SWEEP_LIMIT = 1_000
/** Folders known to be real folders; more than the layout has for 256 servers. */
const KNOWN_FOLDERS_LIMIT = 4_096
/** One of these stands in every shared area; without them the mount is not there and nothing may be created. */
const MARKERS = ['manifest.json', 'group.toml']

export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/** No block left, or none for this user or project. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(errorCode(error))
}

/** Moves a blank sheet, written long ago, to that place; false when there is none. */
export type TakeSheet = (place: string) => Promise<boolean>

export interface StampedBytes {
  readonly bytes: Buffer
  readonly written_ms: number
}

async function bytesOf(file: FileHandle, limit: number, offset: number): Promise<Buffer> {
  const buffer = Buffer.alloc(limit)
  let filled = 0
  while (filled < limit) {
    const { bytesRead } = await file.read(buffer, filled, limit - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/** The file operations of the helper: names checked, links not followed, every write on its own temporary file or offset. */
export class ShareFiles {
  private readonly root: string
  private readonly writer: string
  /** A former process with our number may have left files. */
  private readonly instance = randomBytes(8).toString('hex')
  private readonly known_folders = new Set<string>()
  private temporary_number = 0
  private swept = false

  /** `writer` is the host: its temporary files lie in `tmp/<host>/`. */
  constructor(root: string, writer: string) {
    this.root = root
    this.writer = checkName(writer)
  }

  /** The absolute place of a relative path whose folders were seen to be folders and not links. */
  async place(path: string, create: boolean): Promise<string> {
    const segments = checkPath(path)
    for (let depth = 1; depth < segments.length; depth++) await this.folder(segments.slice(0, depth).join('/'), create)
    return join(this.root, ...segments)
  }

  /** A folder was removed behind our back: look again and make it again. */
  forgetFolders(): void {
    this.known_folders.clear()
  }

  private async folder(path: string, create: boolean): Promise<void> {
    if (this.known_folders.has(path)) return
    const place = join(this.root, path)
    let found = await lstat(place).catch((error: unknown) => {
      if (create && errorCode(error) === 'ENOENT') return undefined
      throw error
    })
    if (!found) {
      await this.checkMounted()
      await mkdir(place, { mode: 0o755 }).catch((error: unknown) => { if (errorCode(error) !== 'EEXIST') throw error })
      found = await lstat(place)
    }
    if (!found.isDirectory()) throw new RingwardError('SHARE_ERROR', `${path} in the shared area is not a folder; remove it`)
    if (this.known_folders.size >= KNOWN_FOLDERS_LIMIT) this.known_folders.clear()
    this.known_folders.add(path)
  }

  /** A mount that is not there leaves an empty folder: leases written into it would be seen by nobody. */
  async checkMounted(): Promise<void> {
    for (const marker of MARKERS) {
      const found = await stat(join(this.root, marker)).catch(whenAbsent(undefined))
      if (found) return
    }
    throw new RingwardError('SHARE_ERROR', `${this.root} holds neither ${MARKERS.join(' nor ')}: it is not mounted or not a shared area; mount it or publish into it`)
  }

  /** The whole of a small file; undefined when it does not exist. Opened, read and closed each time: fresh over NFS. */
  async read(path: string, limit: number, offset = 0): Promise<Buffer | undefined> {
    return this.withOpened(path, file => bytesOf(file, limit, offset))
  }

  /** As `read`, with the time at which it was written by the file server's own clock. */
  async readStamped(path: string, limit: number): Promise<StampedBytes | undefined> {
    return this.withOpened(path, async file => ({ bytes: await bytesOf(file, limit, 0), written_ms: (await file.stat()).mtimeMs }))
  }

  private async withOpened<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T | undefined> {
    return this.place(path, false).then(async place => {
      const file = await open(place, O_RDONLY | O_NOFOLLOW)
      try {
        return await use(file)
      } finally {
        await file.close()
      }
    }).catch(whenAbsent(undefined))
  }

  /** When a file was written last, by the file server's own clock; undefined when it does not exist. */
  async writtenAt(path: string): Promise<number | undefined> {
    return this.place(path, false).then(async place => (await lstat(place)).mtimeMs).catch(whenAbsent(undefined))
  }

  /** Names in a folder; undefined when it does not exist. */
  async names(path: string): Promise<string[] | undefined> {
    return this.place(path, false).then(place => readdir(place)).catch(whenAbsent(undefined))
  }

  /** Opens a file for writing in place, creating it and its folders. The caller closes it. */
  async openInPlace(path: string): Promise<FileHandle> {
    return open(await this.place(path, true), O_RDWR | O_CREAT | O_NOFOLLOW, 0o644)
  }

  /** Writes a temporary file, hands its place to `use`, and removes what is left of it. */
  private async withTemporary<T>(write: (temporary: string) => Promise<void>, use: (temporary: string) => Promise<T>): Promise<T> {
    this.temporary_number++
    const name = `${process.pid}-${this.instance}-${this.temporary_number}`
    const temporary = await this.place(`tmp/${this.writer}/${name}`, true)
    try {
      await write(temporary)
      return await use(temporary)
    } finally {
      await unlink(temporary).catch(() => undefined)
    }
  }

  private async create(temporary: string, bytes: Buffer, durable: boolean): Promise<void> {
    const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644)
    try {
      await writeFile(file, bytes)
      if (durable) await file.sync()
      if (!this.swept) await this.sweep((await file.stat()).mtimeMs)
    } finally {
      await file.close()
    }
  }

  /** Where there is no room for another file, a blank sheet is written on. */
  private async createOrOverwrite(temporary: string, bytes: Buffer, takeSheet: TakeSheet): Promise<void> {
    try {
      await this.create(temporary, bytes, true)
    } catch (error) {
      if (!isFull(error) || !(await takeSheet(temporary))) throw error
      const sheet = await open(temporary, O_WRONLY | O_NOFOLLOW)
      try {
        await writeFile(sheet, bytes)
        await sheet.truncate(bytes.length)
        await sheet.sync()
      } finally {
        await sheet.close()
      }
    }
  }

  /** `now_ms` is the file server's own time, taken from a file just written. */
  private async sweep(now_ms: number): Promise<void> {
    this.swept = true
    const folder = `tmp/${this.writer}`
    for (const name of ((await this.names(folder)) ?? []).slice(0, SWEEP_LIMIT)) {
      const place = join(this.root, folder, name)
      const found = await lstat(place).catch(() => undefined)
      if (found && now_ms - found.mtimeMs > STALE_MS) await unlink(place).catch(() => undefined)
    }
  }

  /**
   * R5: temporary file, `fsync`, `link(2)`, read back. What counts is what stands there afterwards:
   * link may report an error although it happened. `mayStillAct` is asked right before the link.
   */
  async writeOnce(path: string, bytes: Buffer, mayStillAct: () => void, takeSheet: TakeSheet): Promise<Buffer> {
    const target = await this.place(path, true)
    return this.withTemporary(temporary => this.createOrOverwrite(temporary, bytes, takeSheet), async temporary => {
      mayStillAct()
      const failure: unknown = await link(temporary, target).then(() => undefined, (error: unknown) => error)
      if (failure === undefined) await this.syncFolder(target)
      const standing = await this.read(path, bytes.length + 4096)
      if (standing) return standing
      if (failure !== undefined) throw asShareError(failure, `${path} could not be linked`)
      throw new RingwardError('SHARE_ERROR', `${path} was written and is not there; check the shared area`)
    })
  }

  async replace(path: string, bytes: Buffer, mayStillAct: () => void): Promise<void> {
    const target = await this.place(path, true)
    await this.withTemporary(temporary => this.create(temporary, bytes, false), async temporary => {
      mayStillAct()
      await rename(temporary, target)
    })
  }

  /** As `replace`, and its blocks are there when it resolves. */
  async setAside(path: string, bytes: Buffer): Promise<void> {
    const target = await this.place(path, true)
    await this.withTemporary(temporary => this.create(temporary, bytes, true), temporary => rename(temporary, target))
  }

  /** What this user can still write. */
  async free_kb(): Promise<number> {
    const { bavail, bsize } = await statfs(this.root)
    return Math.floor(bavail * bsize / 1024)
  }

  /** Makes a new name last. File systems that cannot sync a folder sync names by themselves. */
  async syncFolder(target: string): Promise<void> {
    const folder = await open(join(target, '..'), O_RDONLY | O_DIRECTORY)
    try {
      await folder.sync().catch((error: unknown) => { if (errorCode(error) !== 'EINVAL') throw error })
    } finally {
      await folder.close()
    }
  }
}

/** A file-system error as the share reports it. */
export function asShareError(error: unknown, what: string): RingwardError {
  if (error instanceof RingwardError) return error
  return new RingwardError('SHARE_ERROR', `${what}: ${reasonOf(error)}`, { cause: error })
}
