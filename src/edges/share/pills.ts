import type { PillRecord } from '../../core/records.ts'
import { parseJson } from '../lines.ts'
import { isName } from './share-names.ts'

/** Folder of the questions to hosts that nobody reaches: one file for each, replaced as a whole. */
export const PILLS_FOLDER = 'pills'
/** Two names of 128 letters and two numbers; more is not ours. */
export const PILL_LIMIT_BYTES = 1_024

export const pillPath = (host: string): string => `${PILLS_FOLDER}/${host}`

export function encodePill(record: PillRecord): string {
  return `${JSON.stringify(record)}\n`
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** The question in the file of that name, or undefined for bytes that are none. */
export function decodePill(name: string, bytes: Buffer): PillRecord | undefined {
  const value = parseJson(bytes.toString('utf8')) as Partial<PillRecord> | null | undefined
  if (typeof value !== 'object' || value === null || value.schema !== 'ringward.pill/1') return undefined
  const { schema, host, generation, sequence, by } = value
  if (host !== name || !isName(name) || !isCount(generation) || !isCount(sequence) || typeof by !== 'string' || !isName(by)) return undefined
  return { schema, host, generation, sequence, by }
}
