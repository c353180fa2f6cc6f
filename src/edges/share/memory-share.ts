import type { ClaimRecord, LeaseRecord, Observation, ReleaseRecord } from '../../core/records.ts'
import { RingwardError } from '../../errors.ts'
import { SystemClock } from '../clock.ts'
import type { ClaimOutcome, Share, WaitOptions } from './share.ts'
import { claimPlace } from './share-claims.ts'
import { checkPath } from './share-names.ts'
import { decodePill, PILLS_FOLDER } from './pills.ts'
import { decodeOrder, ORDERS_FOLDER } from './standing-orders.ts'

const clock = new SystemClock()

/** What the share does with requests: answer, never answer, do it and lose the answer, or fail. */
export type MemoryShareMood = 'answer' | 'hang' | 'lose-answer' | 'fail'

/** A shared area in memory: the world that all handles of a test look into. */
export class MemoryShareWorld {
  readonly leases = new Map<string, LeaseRecord>()
  /** By function, then epoch − 1. */
  readonly claims = new Map<string, ClaimRecord[]>()
  /** By `function/epoch`. */
  readonly releases = new Map<string, ReleaseRecord>()
  readonly files = new Map<string, Buffer>()
  /** When a file was written last, by the one clock that such an area has. */
  readonly written_ms = new Map<string, number>()
  mood: MemoryShareMood = 'answer'
  free_kb: number | undefined

  /** A host's view of the world. */
  connect(): MemoryShare {
    return new MemoryShare(this)
  }

  observe(): Observation {
    const byName = <T>(map: ReadonlyMap<string, T>): T[] => [...map.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
    const pills = [...this.files].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([path, bytes]) => path.startsWith(`${PILLS_FOLDER}/`) ? decodePill(path.slice(PILLS_FOLDER.length + 1), bytes) ?? [] : [])
    return {
      ...pills.length > 0 ? { pills } : {},
      leases: byName(this.leases),
      claims: byName(this.claims).flatMap(claims => {
        const claim = claims.at(-1)
        if (!claim) return []
        const release = this.releases.get(`${claim.function}/${claim.epoch}`)
        return [release ? { claim, release } : { claim }]
      }),
      orders: [...this.files].flatMap(([path, bytes]) => {
        const order = path.startsWith(`${ORDERS_FOLDER}/`) ? decodeOrder(path.slice(ORDERS_FOLDER.length + 1), bytes, clock.boot_ms() - (this.written_ms.get(path) ?? clock.boot_ms())) : undefined
        return order === undefined || order === 'ended' ? [] : [order]
      }),
    }
  }

  claim(record: ClaimRecord): ClaimOutcome {
    const claims = this.claims.get(record.function) ?? []
    if (claimPlace(record, claims.length) === 'next') {
      this.claims.set(record.function, [...claims, structuredClone(record)])
      return { outcome: 'won' }
    }
    const standing = claims[record.epoch - 1]
    if (!standing) throw new RingwardError('SHARE_ERROR', `claim ${record.epoch} of ${record.function} is not there`)
    return standing.nonce === record.nonce && standing.holder === record.holder ? { outcome: 'won' } : { outcome: 'lost', standing }
  }

  release(record: ReleaseRecord): void {
    const key = `${record.function}/${record.epoch}`
    if (!this.claims.get(record.function)?.[record.epoch - 1]) throw new RingwardError('SHARE_ERROR', `epoch ${record.epoch} of ${record.function} was never claimed and cannot be released`)
    if (!this.releases.has(key)) this.releases.set(key, structuredClone(record))
  }
}

/** Share over a `MemoryShareWorld`, with the same outcomes and errors as the real one. */
export class MemoryShare implements Share {
  private readonly world: MemoryShareWorld
  private readonly ending = new AbortController()

  constructor(world: MemoryShareWorld) {
    this.world = world
  }

  get free_kb(): number | undefined {
    return this.world.free_kb
  }

  renewLease(record: LeaseRecord, options: WaitOptions): Promise<void> {
    return this.ask(options, () => { this.world.leases.set(record.host, structuredClone(record)) })
  }

  observe(options: WaitOptions): Promise<Observation> {
    return this.ask(options, () => this.world.observe())
  }

  claim(record: ClaimRecord, options: WaitOptions): Promise<ClaimOutcome> {
    return this.ask(options, () => this.world.claim(record))
  }

  release(record: ReleaseRecord, options: WaitOptions): Promise<void> {
    return this.ask(options, () => { this.world.release(record) })
  }

  async writeView(path: string, text: string, options: WaitOptions): Promise<void> {
    checkPath(path)
    await this.ask(options, () => {
      this.world.files.set(path, Buffer.from(text))
      this.world.written_ms.set(path, clock.boot_ms())
    })
  }

  async writeAt(path: string, offset: number, bytes: Buffer, options: WaitOptions): Promise<void> {
    checkPath(path)
    await this.ask(options, () => {
      const former = this.world.files.get(path) ?? Buffer.alloc(0)
      const next = Buffer.alloc(Math.max(former.length, offset + bytes.length))
      former.copy(next)
      bytes.copy(next, offset)
      this.world.files.set(path, next)
    })
  }

  async readAt(path: string, offset: number, limit: number, options: WaitOptions): Promise<Buffer> {
    checkPath(path)
    return this.ask(options, () => Buffer.from((this.world.files.get(path) ?? Buffer.alloc(0)).subarray(offset, offset + limit)))
  }

  async list(path: string, options: WaitOptions): Promise<string[]> {
    checkPath(path)
    return this.ask(options, () => {
      const inside = [...this.world.files.keys()].filter(name => name.startsWith(`${path}/`)).map(name => name.slice(path.length + 1).split('/')[0] ?? '')
      return [...new Set(inside)].sort()
    })
  }

  close(): Promise<void> {
    this.ending.abort()
    return Promise.resolve()
  }

  private async ask<T>(options: WaitOptions, work: () => T): Promise<T> {
    const signal = AbortSignal.any([this.ending.signal, ...(options.signal ? [options.signal] : [])])
    if (signal.aborted) throw new RingwardError('ABORTED', 'the connection to the shared area is closed')
    await Promise.resolve()
    const { mood } = this.world
    if (mood === 'fail') throw new RingwardError('SHARE_ERROR', 'the shared area fails, as set')
    if (mood !== 'hang') {
      const value = work()
      if (mood === 'answer') return value
    }
    return this.silence(options.deadline_ms, signal)
  }

  private silence(limit_ms: number, signal: AbortSignal): Promise<never> {
    return new Promise((_, reject) => {
      const timer = setTimeout(() => { reject(new RingwardError('SHARE_TIMEOUT', `the shared area did not answer within ${limit_ms} ms`)) }, limit_ms)
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(new RingwardError('ABORTED', 'the request was called off'))
      }, { once: true })
    })
  }
}
