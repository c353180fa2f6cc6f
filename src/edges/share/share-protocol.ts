/**
 * Between a process and its share helper: JSON lines on the helper's stdin and stdout.
 * Only the helper touches the shared area; it may hang and be abandoned (L4).
 */
import type { ClaimRecord, LeaseRecord, Observation, ReleaseRecord } from '../../core/records.ts'
import type { ErrorCode } from '../../errors.ts'
import type { ClaimOutcome } from './share.ts'

export type ShareCall =
  | { readonly call: 'renewLease'; readonly record: LeaseRecord }
  | { readonly call: 'observe' }
  | { readonly call: 'claim'; readonly record: ClaimRecord }
  | { readonly call: 'release'; readonly record: ReleaseRecord }
  | { readonly call: 'writeView'; readonly path: string; readonly text: string }
  | { readonly call: 'writeAt'; readonly path: string; readonly offset: number; readonly bytes_base64: string }
  | { readonly call: 'readAt'; readonly path: string; readonly offset: number; readonly limit: number }
  | { readonly call: 'list'; readonly path: string }

export type ShareRequest = ShareCall & {
  readonly request: number
  /** Boot-clock time after which no effect may be issued any more: a decision must not come true when a hang ends. */
  readonly expires_ms: number
}

/** What each call answers with. */
export interface ShareAnswers {
  readonly renewLease: null
  readonly observe: { readonly observation: Observation; readonly problems: readonly string[]; readonly free_kb?: number }
  readonly claim: ClaimOutcome
  readonly release: null
  readonly writeView: null
  readonly writeAt: null
  readonly readAt: string
  readonly list: readonly string[]
}

export type ShareAnswer =
  | { readonly answer: number; readonly ok: true; readonly value: ShareAnswers[keyof ShareAnswers] }
  | { readonly answer: number; readonly ok: false; readonly code: ErrorCode; readonly reason: string }

/** Bytes of one `writeAt`, `readAt` or view: logs are shipped in pieces of 64 KB, views of 256 hosts are 100 KB. */
export const TRANSFER_LIMIT_BYTES = 1024 * 1024
/** A transfer in base64 with its envelope. */
export const LINE_LIMIT_CHARACTERS = 2 * TRANSFER_LIMIT_BYTES
/** Requests without an answer; an agent at rest has two or three. */
export const OUTSTANDING_LIMIT = 64
