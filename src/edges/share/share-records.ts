import { createHash } from 'node:crypto'
import type { ClaimRecord, FunctionKind, LeaseRecord, LeaseStanding, ProofKind, ReleaseHow, ReleaseRecord } from '../../core/records.ts'
import { RingwardError } from '../../errors.ts'
import { parseJson } from '../lines.ts'
import { isName } from './share-names.ts'

/**
 * A lease is one disk sector, overwritten in place (protocol R1). Where the electorate of a large ring does not fit it is more sectors, and then for
 * good: the file only grows, by the very write that needs it, so that no reader ever meets half of a change of size. The largest holds 256 names of 60 letters.
 */
export const LEASE_BYTES = 512
export const LEASE_LIMIT_BYTES = 32 * LEASE_BYTES
/** Claims and releases are a few hundred bytes; more is not ours. */
export const RECORD_LIMIT_BYTES = 4096

const STANDINGS: readonly LeaseStanding[] = ['member', 'unmanaged', 'goodbye']
const KINDS: readonly FunctionKind[] = ['native', 'virtual']
const PROOFS: readonly ProofKind[] = ['first', 'own-past', 'silence', 'released', 'hand-over']
const HOWS: readonly ReleaseHow[] = ['goodbye', 'remote-hand', 'power', 'operator', 'not-started']

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isNameValue = (value: unknown): value is string => typeof value === 'string' && isName(value)
const isShortText = (value: unknown): value is string => typeof value === 'string' && value.length <= 128
/** A group has at most 256 servers. */
const isNameList = (value: unknown): value is string[] => Array.isArray(value) && value.length <= 256 && value.every(isNameValue)
const isOneOf = (list: readonly string[], value: unknown): boolean => typeof value === 'string' && list.includes(value)

export function asLease(value: unknown): LeaseRecord | undefined {
  const fields = fieldsOf(value)
  if (!fields || fields.schema !== 'ringward.lease/1') return undefined
  const { host, generation, sequence, standing, boot_id, electorate, may_miss } = fields
  if (!isNameValue(host) || !isCount(generation) || !isCount(sequence) || !isOneOf(STANDINGS, standing) || !isShortText(boot_id)) return undefined
  if ((electorate !== undefined && !isNameList(electorate)) || (may_miss !== undefined && !isCount(may_miss))) return undefined
  return { schema: 'ringward.lease/1', host, generation, sequence, standing: standing as LeaseStanding, boot_id, ...(electorate ? { electorate } : {}), ...(may_miss === undefined ? {} : { may_miss }) }
}

function asTombstone(value: unknown): ClaimRecord['tombstone'] | 'wrong' {
  if (value === undefined) return undefined
  const fields = fieldsOf(value)
  if (!fields || !isNameValue(fields.host) || !isCount(fields.generation)) return 'wrong'
  return { host: fields.host, generation: fields.generation }
}

export function asClaim(value: unknown): ClaimRecord | undefined {
  const fields = fieldsOf(value)
  if (!fields || fields.schema !== 'ringward.claim/1') return undefined
  const { epoch, holder, generation, kind, proof, by, nonce } = fields
  const name = fields.function
  const tombstone = asTombstone(fields.tombstone)
  if (!isNameValue(name) || !isCount(epoch) || epoch < 1 || !isNameValue(holder) || !isCount(generation)) return undefined
  if (!isOneOf(KINDS, kind) || !isOneOf(PROOFS, proof) || tombstone === 'wrong' || !isNameValue(by) || !isShortText(nonce)) return undefined
  return {
    schema: 'ringward.claim/1', function: name, epoch, holder, generation, kind: kind as FunctionKind, proof: proof as ProofKind,
    ...(tombstone ? { tombstone } : {}), by, nonce,
  }
}

export function asRelease(value: unknown): ReleaseRecord | undefined {
  const fields = fieldsOf(value)
  if (!fields || fields.schema !== 'ringward.release/1') return undefined
  const { epoch, how, by } = fields
  const name = fields.function
  if (!isNameValue(name) || !isCount(epoch) || epoch < 1 || !isOneOf(HOWS, how) || !isNameValue(by)) return undefined
  return { schema: 'ringward.release/1', function: name, epoch, how: how as ReleaseHow, by }
}

function checkOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** The form of a lease, of whole sectors and at least `size` bytes: JSON with a check over everything before it, spaces, one line end. */
export function encodeLease(record: LeaseRecord, size = LEASE_BYTES): Buffer {
  const body = JSON.stringify(record)
  const text = `${body.slice(0, -1)},"check":"${checkOf(body)}"}`
  const bytes = Math.max(size, Math.ceil((Buffer.byteLength(text) + 1) / LEASE_BYTES) * LEASE_BYTES)
  if (bytes > LEASE_LIMIT_BYTES) throw new RingwardError('SHARE_ERROR', `the lease of ${record.host} does not fit into ${LEASE_LIMIT_BYTES} bytes; shorten the servers' names`)
  return Buffer.from(text.padEnd(bytes - 1) + '\n')
}

/** The lease in the bytes, or undefined for a torn or foreign record. */
export function decodeLease(bytes: Buffer): LeaseRecord | undefined {
  if (bytes.length === 0 || bytes.length % LEASE_BYTES !== 0 || bytes.length > LEASE_LIMIT_BYTES) return undefined
  const fields = fieldsOf(parseJson(bytes.toString('utf8')))
  if (!fields) return undefined
  const { check, ...rest } = fields
  return check === checkOf(JSON.stringify(rest)) ? asLease(rest) : undefined
}

export function encodeRecord(record: ClaimRecord | ReleaseRecord): Buffer {
  return Buffer.from(JSON.stringify(record) + '\n')
}

export const decodeClaim = (bytes: Buffer): ClaimRecord | undefined => asClaim(parseJson(bytes.toString('utf8')))
export const decodeRelease = (bytes: Buffer): ReleaseRecord | undefined => asRelease(parseJson(bytes.toString('utf8')))
