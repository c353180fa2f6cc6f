import { setTimeout as pause } from 'node:timers/promises'
import type { ClaimRecord, LeaseRecord, Observation, PillRecord, ReleaseRecord, StandingOrder } from '../../core/records.ts'
import { reasonOf } from '../../errors.ts'
import { ServerTime } from './server-time.ts'
import { errorCode, type ShareFiles, type StampedBytes } from './share-files.ts'
import { epochOf, isName } from './share-names.ts'
import { decodePill, PILL_LIMIT_BYTES, PILLS_FOLDER } from './pills.ts'
import { decodeOrder, ORDER_LIMIT_BYTES, ORDERS_FOLDER } from './standing-orders.ts'
import { decodeClaim, decodeLease, decodeRelease, LEASE_LIMIT_BYTES, RECORD_LIMIT_BYTES } from './share-records.ts'

/** Files read at once: enough to hide the round trips of 256 leases, below the threads of the helper. */
const READS_AT_ONCE = 8
/** A read that met a half-written lease is repeated; the writer needs microseconds. */
const TORN_TRIES = 3
const TORN_PAUSE_MS = 5
/** Names taken from one folder; a ring has at most a few hundred servers. */
const NAMES_LIMIT = 1_000
/** Epochs one function can gain between two observations. */
const EPOCH_STEPS_LIMIT = 1_000

/** Runs `work` over all items, some at a time. */
async function forAll<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const runner = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item)
  }
  await Promise.all(Array.from({ length: READS_AT_ONCE }, runner))
}

/** Something stands there that is not ours; a dead share says other things (EIO, ESTALE, ENOTCONN). */
function isForeign(error: unknown): boolean {
  return ['EISDIR', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(errorCode(error))
}

interface Known {
  epoch: number
  claim: ClaimRecord | undefined
  release: ReleaseRecord | undefined
}

/**
 * R3: fresh reads of all leases and of the newest claim of each function. Claims and releases never change, so what was
 * read once is remembered and only the next epoch is probed for. What is torn or foreign is reported and left out.
 */
export class ShareObserver {
  private readonly files: ShareFiles
  private readonly server_time: ServerTime
  private readonly known = new Map<string, Known>()
  /** One pass at a time: two at once would move the remembered epochs under each other. */
  private turn: Promise<unknown> = Promise.resolve()

  /** `boot_ms`: the host's clock that never jumps. */
  constructor(files: ShareFiles, boot_ms: () => number) {
    this.files = files
    this.server_time = new ServerTime(boot_ms)
  }

  /** `mayStillAct` is asked when the turn has come: nobody waits for a pass that is too late. */
  observe(mayStillAct: () => void): Promise<{ observation: Observation; problems: string[] }> {
    const mine = this.turn.then(() => {
      mayStillAct()
      return this.pass()
    })
    this.turn = mine.catch(() => undefined)
    return mine
  }

  private async pass(): Promise<{ observation: Observation; problems: string[] }> {
    const problems: string[] = []
    const [hosts, functions, orders, pills] = await Promise.all([this.namesIn('leases', problems), this.namesIn('claims', problems), this.orderFiles(problems), this.pills(problems)])
    const leases = new Map<string, LeaseRecord>()
    await forAll(hosts, async host => {
      const lease = await this.lease(host, problems)
      if (lease) leases.set(host, lease)
    })
    await forAll(functions, async name => {
      await this.follow(name, problems).catch((error: unknown) => {
        if (!isForeign(error)) throw error
        problems.push(`claims/${name}: ${reasonOf(error)}; it is left out`)
      })
    })
    if (orders.size > 0) await this.lookAtServerTime(hosts)
    return {
      observation: {
        leases: hosts.flatMap(host => leases.get(host) ?? []),
        claims: functions.flatMap(name => {
          const { claim, release } = this.known.get(name) ?? {}
          return claim ? [release ? { claim, release } : { claim }] : []
        }),
        orders: this.standing(orders, problems), ...pills.length > 0 ? { pills } : {},
      },
      problems,
    }
  }

  /** The newest epoch of a function by the folder itself, 0 when there is none. */
  async newestEpoch(name: string): Promise<number> {
    return Math.max(0, ...((await this.files.names(`claims/${name}`)) ?? []).map(file => epochOf(file) ?? 0))
  }

  private async namesIn(folder: string, problems: string[]): Promise<string[]> {
    const found = await this.files.names(folder)
    // An unmounted area looks like an empty one and must not be taken for it.
    if (!found) await this.files.checkMounted()
    const names = (found ?? []).sort()
    const good = names.filter(isName)
    if (good.length < names.length) problems.push(`${folder} holds ${names.length - good.length} files whose names are not allowed; they are left out`)
    if (good.length > NAMES_LIMIT) problems.push(`${folder} holds more than ${NAMES_LIMIT} files; the rest is left out`)
    return good.slice(0, NAMES_LIMIT)
  }

  private async orderFiles(problems: string[]): Promise<Map<string, StampedBytes>> {
    const files = new Map<string, StampedBytes>()
    const names = ((await this.files.names(ORDERS_FOLDER)) ?? []).filter(isName).slice(0, NAMES_LIMIT)
    await forAll(names, async name => {
      const file = await this.attempt(`${ORDERS_FOLDER}/${name}`, path => this.files.readStamped(path, ORDER_LIMIT_BYTES), problems)
      if (file) files.set(name, file)
    })
    return files
  }

  private standing(files: ReadonlyMap<string, StampedBytes>, problems: string[]): StandingOrder[] {
    return [...files].flatMap(([name, { bytes, written_ms }]) => {
      const order = decodeOrder(name, bytes, this.server_time.age_ms(written_ms))
      if (!order) problems.push(`${ORDERS_FOLDER}/${name} is not an order of an operator; it is left out`)
      return order && order !== 'ended' ? [order] : []
    })
  }

  private async pills(problems: string[]): Promise<PillRecord[]> {
    const pills: PillRecord[] = []
    const names = ((await this.files.names(PILLS_FOLDER)) ?? []).filter(isName).slice(0, NAMES_LIMIT)
    await forAll(names, async name => {
      const bytes = await this.tryRead(`${PILLS_FOLDER}/${name}`, PILL_LIMIT_BYTES, problems)
      const pill = bytes && decodePill(name, bytes)
      if (bytes && !pill) problems.push(`${PILLS_FOLDER}/${name} is no question to ${name}; it is left out`)
      if (pill) pills.push(pill)
    })
    return pills.sort((a, b) => (a.host < b.host ? -1 : 1))
  }

  /** A round trip for each lease, so only while there are orders whose end has to be known. */
  private async lookAtServerTime(hosts: readonly string[]): Promise<void> {
    const stamps = new Map<string, number>()
    await forAll(hosts, async host => {
      const written_ms = await this.files.writtenAt(`leases/${host}`)
      if (written_ms !== undefined) stamps.set(host, written_ms)
    })
    this.server_time.note(stamps)
  }

  private async lease(host: string, problems: string[]): Promise<LeaseRecord | undefined> {
    for (let tries = 1; tries <= TORN_TRIES; tries++) {
      if (tries > 1) await pause(TORN_PAUSE_MS)
      const bytes = await this.tryRead(`leases/${host}`, LEASE_LIMIT_BYTES + 1, problems)
      if (!bytes) return undefined
      const lease = decodeLease(bytes)
      if (lease?.host === host) return lease
    }
    problems.push(`leases/${host} is torn or not a lease of ${host}; it is left out`)
    return undefined
  }

  /** Moves on to the newest claim of a function and looks for its release. */
  private async follow(name: string, problems: string[]): Promise<void> {
    let known = this.known.get(name)
    if (!known) {
      const newest = await this.newestEpoch(name)
      if (newest === 0) return
      // From the one before, so that an unreadable newest claim leaves its forerunner in sight.
      known = { epoch: Math.max(1, newest - 1), claim: undefined, release: undefined }
    }
    this.known.set(name, known)
    known.claim ??= await this.claim(name, known.epoch, problems)
    for (let steps = 0; steps < EPOCH_STEPS_LIMIT; steps++) {
      const path = `claims/${name}/${known.epoch + 1}`
      const bytes = await this.tryRead(path, RECORD_LIMIT_BYTES, problems)
      if (!bytes) break
      const claim = this.decoded(path, name, known.epoch + 1, decodeClaim(bytes), problems)
      if (!claim) break
      known.epoch++
      known.claim = claim
      known.release = undefined
    }
    known.release ??= await this.release(name, known.epoch, problems)
  }

  private async claim(name: string, epoch: number, problems: string[]): Promise<ClaimRecord | undefined> {
    const path = `claims/${name}/${epoch}`
    const bytes = await this.tryRead(path, RECORD_LIMIT_BYTES, problems)
    return bytes && this.decoded(path, name, epoch, decodeClaim(bytes), problems)
  }

  private async release(name: string, epoch: number, problems: string[]): Promise<ReleaseRecord | undefined> {
    const path = `releases/${name}/${epoch}`
    const bytes = await this.tryRead(path, RECORD_LIMIT_BYTES, problems)
    return bytes && this.decoded(path, name, epoch, decodeRelease(bytes), problems)
  }

  private decoded<T extends { readonly function: string; readonly epoch: number }>(path: string, name: string, epoch: number, record: T | undefined, problems: string[]): T | undefined {
    if (record?.function === name && record.epoch === epoch) return record
    problems.push(`${path} is not a record of ${name} at epoch ${epoch}; no host can go past it until it is repaired or removed`)
    return undefined
  }

  private tryRead(path: string, limit: number, problems: string[]): Promise<Buffer | undefined> {
    return this.attempt(path, () => this.files.read(path, limit), problems)
  }

  /** One unreadable file (a folder, no permission) must not blind the host for all others; a dead share does. */
  private async attempt<T>(path: string, read: (path: string) => Promise<T | undefined>, problems: string[]): Promise<T | undefined> {
    try {
      return await read(path)
    } catch (error) {
      if (!isForeign(error)) throw error
      problems.push(`${path} cannot be read: ${reasonOf(error)}; it is left out`)
      return undefined
    }
  }
}
