import type { FileHandle } from 'node:fs/promises'
import type { LeaseRecord } from '../../core/records.ts'
import { RingwardError } from '../../errors.ts'
import type { ShareFiles } from './share-files.ts'
import { encodeLease, LEASE_BYTES } from './share-records.ts'

/**
 * The host's own lease record (R1): one file of fixed size, opened once and kept open (a renewal needs no OPEN, so it
 * works during the file server's grace period), overwritten in place, acknowledged after `fdatasync`.
 */
export class ShareLease {
  private readonly files: ShareFiles
  private open_file: { readonly host: string; readonly file: FileHandle } | undefined
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
    const bytes = encodeLease(record)
    const file = await this.fileOf(record.host)
    try {
      mayStillAct()
      const { bytesWritten } = await file.write(bytes, 0, LEASE_BYTES, 0)
      if (bytesWritten !== LEASE_BYTES) throw new RingwardError('SHARE_ERROR', `only ${bytesWritten} of ${LEASE_BYTES} bytes of the lease were written; check the room in the shared area`)
      await file.datasync()
      if ((await file.stat()).nlink === 0) throw new RingwardError('SHARE_ERROR', `the lease file of ${record.host} was removed; it is created again`)
    } catch (error) {
      // A stale handle (server restarted, file removed) is good for nothing: the next renewal opens anew.
      await this.close()
      throw error
    }
  }

  private async fileOf(host: string): Promise<FileHandle> {
    if (this.open_file?.host === host) return this.open_file.file
    await this.close()
    const path = `leases/${host}`
    const file = await this.files.openInPlace(path)
    this.open_file = { host, file }
    if ((await file.stat()).size !== LEASE_BYTES) {
      await file.truncate(LEASE_BYTES)
      await this.files.syncFolder(await this.files.place(path, true))
    }
    return file
  }

  private async close(): Promise<void> {
    const former = this.open_file
    this.open_file = undefined
    await former?.file.close().catch(() => undefined)
  }
}
