import type { ClaimRecord, ReleaseRecord } from '../../core/records.ts'
import { RingwardError } from '../../errors.ts'
import type { ClaimOutcome } from './share.ts'
import type { ShareFiles } from './share-files.ts'
import type { ShareObserver } from './share-observer.ts'
import type { ShareSpace } from './share-space.ts'
import { decodeClaim, decodeRelease, encodeRecord, RECORD_LIMIT_BYTES } from './share-records.ts'

/**
 * Where a claim may stand (S7: epochs are 1, 2, 3, … without a gap): the epoch after the newest, and only there.
 * `standing` asks for the outcome of an older attempt instead of a new file.
 */
export function claimPlace(record: ClaimRecord, newest: number): 'next' | 'standing' {
  if (record.epoch <= newest) return 'standing'
  if (record.epoch === newest + 1) return 'next'
  throw new RingwardError('SHARE_ERROR', `claim ${record.epoch} of ${record.function} would leave a gap after ${newest}; observe the shared area again`)
}

/** R5 over files: a claim is won by the host whose nonce stands in the file afterwards. */
export class ShareClaims {
  private readonly files: ShareFiles
  private readonly observer: ShareObserver
  private readonly space: ShareSpace

  constructor(files: ShareFiles, observer: ShareObserver, space: ShareSpace) {
    this.files = files
    this.observer = observer
    this.space = space
  }

  async claim(record: ClaimRecord, mayStillAct: () => void): Promise<ClaimOutcome> {
    const path = `claims/${record.function}/${record.epoch}`
    const place = claimPlace(record, await this.observer.newestEpoch(record.function))
    const bytes = place === 'next'
      ? await this.writeOnce(path, record, mayStillAct)
      : await this.files.read(path, RECORD_LIMIT_BYTES)
    const standing = bytes && decodeClaim(bytes)
    if (!standing) throw new RingwardError('SHARE_ERROR', `${path} stands and cannot be read as a claim; repair or remove it`)
    return standing.nonce === record.nonce && standing.holder === record.holder ? { outcome: 'won' } : { outcome: 'lost', standing }
  }

  /** Write-once; any release that stands for the epoch is good. One for an epoch not claimed yet would void that claim. */
  async release(record: ReleaseRecord, mayStillAct: () => void): Promise<void> {
    const path = `releases/${record.function}/${record.epoch}`
    if (!(await this.files.read(`claims/${record.function}/${record.epoch}`, 1))) {
      throw new RingwardError('SHARE_ERROR', `epoch ${record.epoch} of ${record.function} was never claimed and cannot be released; observe the shared area again`)
    }
    const standing = await this.writeOnce(path, record, mayStillAct)
    if (!decodeRelease(standing)) throw new RingwardError('SHARE_ERROR', `${path} stands and cannot be read as a release; repair or remove it`)
  }

  private writeOnce(path: string, record: ClaimRecord | ReleaseRecord, mayStillAct: () => void): Promise<Buffer> {
    return this.files.writeOnce(path, encodeRecord(record), mayStillAct, place => this.space.takeSheet(place))
  }
}
