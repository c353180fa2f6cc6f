import { RingwardError } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import { LineReader, parseJson } from '../lines.ts'
import { ShareClaims } from './share-claims.ts'
import { asShareError, errorCode, ShareFiles } from './share-files.ts'
import { ShareLease } from './share-lease.ts'
import { LINE_LIMIT_CHARACTERS, TRANSFER_LIMIT_BYTES, type ShareAnswer, type ShareAnswers, type ShareRequest } from './share-protocol.ts'
import { ShareObserver } from './share-observer.ts'
import { ShareSpace } from './share-space.ts'
import { asClaim, asLease, asRelease } from './share-records.ts'

/** Names answered to one `list`: a log folder of 256 hosts and 30 days. */
const LIST_LIMIT = 10_000

/** Everything the helper does with the shared area, one method a call. */
export class ShareWorker {
  private readonly files: ShareFiles
  private readonly lease: ShareLease
  private readonly observer: ShareObserver
  private readonly claims: ShareClaims
  private readonly space: ShareSpace
  private readonly clock: Clock

  constructor(root: string, writer: string, clock: Clock) {
    this.clock = clock
    this.files = new ShareFiles(root, writer)
    this.lease = new ShareLease(this.files)
    this.observer = new ShareObserver(this.files, () => clock.boot_ms())
    this.space = new ShareSpace(this.files, writer, clock)
    this.claims = new ShareClaims(this.files, this.observer, this.space)
  }

  async answer(request: ShareRequest): Promise<ShareAnswer> {
    try {
      return { answer: request.request, ok: true, value: await this.work(request) }
    } catch (error) {
      if (errorCode(error) === 'ENOENT') this.files.forgetFolders()
      const known = asShareError(error, `${request.call} in the shared area failed`)
      return { answer: request.request, ok: false, code: known.code, reason: known.message }
    }
  }

  private async work(request: ShareRequest): Promise<ShareAnswers[keyof ShareAnswers]> {
    const mayStillAct = (): void => {
      if (this.clock.boot_ms() > request.expires_ms) throw new RingwardError('SHARE_TIMEOUT', `${request.call} came too late and was not done`)
    }
    switch (request.call) {
      case 'renewLease': await this.lease.renew(checked(asLease(request.record), 'lease'), mayStillAct); return null
      case 'observe': return this.observe(mayStillAct)
      case 'claim': return this.claims.claim(checked(asClaim(request.record), 'claim'), mayStillAct)
      case 'release': await this.claims.release(checked(asRelease(request.record), 'release'), mayStillAct); return null
      case 'writeView': await this.files.replace(request.path, bounded(Buffer.from(request.text)), mayStillAct); return null
      case 'writeAt': await this.writeAt(request.path, request.offset, bounded(Buffer.from(request.bytes_base64, 'base64')), mayStillAct); return null
      case 'readAt': {
        const bytes = await this.files.read(request.path, Math.min(request.limit, TRANSFER_LIMIT_BYTES), request.offset)
        return (bytes ?? Buffer.alloc(0)).toString('base64')
      }
      case 'list': return ((await this.files.names(request.path)) ?? []).sort().slice(0, LIST_LIMIT)
    }
  }

  private async observe(mayStillAct: () => void): Promise<ShareAnswers['observe']> {
    const observed = await this.observer.observe(mayStillAct)
    const free_kb = this.space.measure()
    return { ...observed, ...free_kb === undefined ? {} : { free_kb } }
  }

  private async writeAt(path: string, offset: number, bytes: Buffer, mayStillAct: () => void): Promise<void> {
    const file = await this.files.openInPlace(path)
    try {
      mayStillAct()
      for (let written = 0; written < bytes.length;) {
        written += (await file.write(bytes, written, bytes.length - written, offset + written)).bytesWritten
      }
      await file.datasync()
    } finally {
      await file.close()
    }
  }
}

function checked<T>(record: T | undefined, what: string): T {
  if (!record) throw new RingwardError('SHARE_ERROR', `the ${what} to write is not valid; nothing was written`)
  return record
}

function bounded(bytes: Buffer): Buffer {
  if (bytes.length > TRANSFER_LIMIT_BYTES) throw new RingwardError('SHARE_ERROR', `${bytes.length} bytes in one write are more than ${TRANSFER_LIMIT_BYTES}; write in pieces`)
  return bytes
}

/**
 * The helper process: reads requests on stdin until it is closed. Arguments: the mount point of the shared area and the host's name.
 * It ends by SIGKILL to itself: an ordinary exit would wait for threads that hang in the shared area.
 */
export function runShareHelper(args: readonly string[], clock: Clock): void {
  const [root, writer] = args
  if (root === undefined || writer === undefined) throw new RingwardError('USAGE', 'the share helper needs the mount point of the shared area and the name of the host')
  const worker = new ShareWorker(root, writer, clock)
  const end = (): void => { process.kill(process.pid, 'SIGKILL') }
  const reader = new LineReader(LINE_LIMIT_CHARACTERS, line => {
    const request = parseJson(line) as ShareRequest
    void worker.answer(request).then(answer => process.stdout.write(JSON.stringify(answer) + '\n'))
  }, end)
  // A signal for the owner (Ctrl-C in a terminal) is not for the helper: it ends with its owner's end of the pipe.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => undefined)
  process.stdout.on('error', end)
  process.stdin.setEncoding('utf8').on('data', (text: string) => { reader.feed(text) })
  process.stdin.on('end', end).on('error', end)
}
