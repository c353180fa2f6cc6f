import type { FileHandle } from 'node:fs/promises'
import type { LeaseRecord } from '../../core/records.ts'
import { RingwardError } from '../../errors.ts'
import type { ShareFiles } from './share-files.ts'
import { encodeLease, LEASE_BYTES, LEASE_LIMIT_BYTES } from './share-records.ts'

/**
 * The host's own lease record (R1): one file of a size that only grows, opened once and kept open (a renewal needs no OPEN, so it
 * works during the file server's grace period), overwritten in place, acknowledged after `fdatasync`.
 */
export class ShareLease {
  private readonly files: ShareFiles
  private open_file: { readonly host: string; readonly file: FileHandle; size: number } | undefined
  /** Two writes must not pass one another: the older one would stand. */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(files: ShareFiles) {
    this.files = files
  }

  renew(record: LeaseRecord, mayStillAct: () => void): Promise<void> {
    const mine = this.turn.then(() => this.write(record, mayStillAct))
    this.turn = mine.catch(() => undefined)
    return mine
  }

  private async write(record: LeaseRecord, mayStillAct: () => void): Promise<void> {
    const open_file = await this.fileOf(record.host)
    const { file } = open_file
    const bytes = encodeLease(record, open_file.size)
    try {
      mayStillAct()
      const { bytesWritten } = await file.write(bytes, 0, bytes.length, 0)
      if (bytesWritten !== bytes.length) throw new RingwardError('SHARE_ERROR', `only ${bytesWritten} of ${bytes.length} bytes of the lease were written; check the room in the shared area`)
      open_file.size = bytes.length
      await file.datasync()
      if ((await file.stat()).nlink === 0) throw new RingwardError('SHARE_ERROR', `the lease file of ${record.host} was removed; it is created again`)
    } catch (error) {
      // A stale handle (server restarted, file removed) is good for nothing: the next renewal opens anew.
      await this.close()
      throw error
    }
  }

  private async fileOf(host: string): Promise<NonNullable<ShareLease['open_file']>> {
    if (this.open_file?.host === host) return this.open_file
    await this.close()
    const path = `leases/${host}`
    const file = await this.files.openInPlace(path)
    const { size } = await file.stat()
    const whole = size > 0 && size % LEASE_BYTES === 0 && size <= LEASE_LIMIT_BYTES
    this.open_file = { host, file, size: whole ? size : LEASE_BYTES }
    if (!whole) {
      await file.truncate(LEASE_BYTES)
      await this.files.syncFolder(await this.files.place(path, true))
    }
    return this.open_file
  }

  private async close(): Promise<void> {
    const former = this.open_file
    this.open_file = undefined
    await former?.file.close().catch(() => undefined)
  }
}
