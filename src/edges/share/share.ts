import type { ClaimRecord, LeaseRecord, Observation, ReleaseRecord } from '../../core/records.ts'

/** Every wait has a deadline; the share may hang for ever (L4). */
export interface WaitOptions {
  /** Milliseconds from the call on, at most 120,000 (a boot-clock time passed by mistake is refused). */
  readonly deadline_ms: number
  readonly signal?: AbortSignal
}

export type ClaimOutcome =
  /** Our record stands at that epoch (also when link(2) reported an error though it happened). */
  | { readonly outcome: 'won' }
  /** Another record stands there. */
  | { readonly outcome: 'lost'; readonly standing: ClaimRecord }

/**
 * The shared area, as the agent, the guard and the Executer may touch it.
 * All calls reject with `RingwardError` code `SHARE_TIMEOUT` at the deadline (the outcome is then unknown) and
 * `SHARE_ERROR` for an error of the file system.
 */
export interface Share {
  /** What can still be written there, as measured with one of the last observations; undefined while it is not known. 0: nothing, but for a few claims and releases. */
  readonly free_kb: number | undefined
  /** Overwrites the host's own fixed-size lease record in place; resolves after `fsync` (R1). */
  renewLease(record: LeaseRecord, options: WaitOptions): Promise<void>
  /** A fresh read of all leases and of the newest claim of every function, with its release (R3). */
  observe(options: WaitOptions): Promise<Observation>
  /** R5: temporary file, `fsync`, `link(2)`, read back and compare the nonce. */
  claim(record: ClaimRecord, options: WaitOptions): Promise<ClaimOutcome>
  /** Write-once; an existing record of the same epoch counts as success. */
  release(record: ReleaseRecord, options: WaitOptions): Promise<void>
  /** Replaces a rendered view for people (`files/Group`, `views/3.json`, …) by rename. Never read back. */
  writeView(path: string, text: string, options: WaitOptions): Promise<void>
  /** Writes `bytes` at `offset` of this host's own log or incident file (single writer; repeatable). */
  writeAt(path: string, offset: number, bytes: Buffer, options: WaitOptions): Promise<void>
  /** At most `limit` bytes from `offset`; an absent file reads as empty. */
  readAt(path: string, offset: number, limit: number, options: WaitOptions): Promise<Buffer>
  /** Names in a folder, sorted; an absent folder reads as empty. */
  list(path: string, options: WaitOptions): Promise<string[]>
  /** Ends the helper; a hung one is abandoned. */
  close(): Promise<void>
}
