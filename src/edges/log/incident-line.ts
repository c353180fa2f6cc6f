import { parseJson } from '../lines.ts'
import type { Candidate, IncidentOutcome, Prediction, Trouble } from '../../control/documents.ts'

/** Stages that the fold counts from; others may be recorded under any name. */
export type KnownStage =
  /** The manager saw the trouble: the zero of `function_ms` and `target_ms`. */
  | 'detected'
  | 'confirmed'
  | 'chosen'
  | 'prepared'
  | 'proved'
  | 'claimed'
  /** Clients are served again. */
  | 'function given'
  | 'target up'
  /** The target gives its function itself again, or its service was repaired. */
  | 'target restored'
  | 'closed'

/**
 * One JSON line of `incidents/<id>.jsonl`: a stage, and what became known with it. A record has one writer; another host that
 * goes on with the incident (P2 in P1's place, the chosen host) writes its own record whose lines name the first in `continues`.
 */
export interface IncidentLine {
  /** RFC 3339 with milliseconds. */
  readonly at: string
  readonly host: string
  readonly stage: KnownStage | (string & {})
  /** Since the detection by a clock that does not jump; without it the stamps are compared. */
  readonly after_ms?: number
  readonly text?: string
  readonly continues?: string
  readonly target?: string
  readonly trouble?: Trouble
  readonly manager?: string
  readonly chosen_host?: string
  readonly candidates?: readonly Candidate[]
  readonly predicted?: Prediction
  readonly function_ms?: number
  readonly target_ms?: number
  readonly outcome?: IncidentOutcome
}

/** With stamp and suffix a record's name stays within the 128 characters that a name in the shared area may have. */
const NAME_LIMIT_CHARACTERS = 48

/** Sortable by time and unique: a manager detects a target's trouble at most once in a millisecond. */
export function incidentId(detected: Date, target: string, manager: string): string {
  return `${detected.toISOString().replace(/[-:.]/g, '')}-${target.slice(0, NAME_LIMIT_CHARACTERS)}-${manager.slice(0, NAME_LIMIT_CHARACTERS)}`
}

export const INCIDENT_ID = /^\d{8}T\d{9}Z-[A-Za-z0-9][A-Za-z0-9._-]{0,96}$/

/** The line a text holds, or undefined for a torn or foreign one. */
export function parseIncidentLine(text: string): IncidentLine | undefined {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null) return undefined
  const { at, host, stage } = value as Record<string, unknown>
  // The other fields come from the same writer as these three; they are shown, never acted on.
  if (typeof at !== 'string' || Number.isNaN(Date.parse(at)) || typeof host !== 'string' || typeof stage !== 'string') return undefined
  return value as IncidentLine
}
