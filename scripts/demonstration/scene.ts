/** What the story is played on: the lab with real hosts, or the simulator. Both tell the same things about themselves. */
import type { Incident, StatusDocument } from '../../src/control/documents.ts'
import type { ClientReport } from '../laboratory/client.ts'

/** The host whose power is cut: the target of the thesis's experiment (5.4). */
export const TARGET = 'ftp'
/** The thesis's six servers in the order of the ring. */
export const HOSTS = ['mail', 'login', 'ftp', 'proxy', 'web1', 'web2'] as const
/** Period of the client. */
export const CLIENT_EVERY_MS = 100

/** A line of the merged system log. */
export interface LogLine {
  /** Epoch milliseconds of its stamp. */
  readonly at_ms: number
  readonly host: string
  readonly alarm: boolean
  readonly text: string
}

/** One attempt of the client; `clock` is its start, HH:MM:SS.mmm. */
export interface Mark {
  readonly clock: string
  readonly ok: boolean
}

/** The look from outside for two givers of a function, all the time from before the power cut to the end. */
export interface AuditFinding {
  readonly ok: boolean
  readonly violations: readonly string[]
  /** How it was looked, with the numbers of samples. */
  readonly how: string
}

export interface Scene {
  /** Begins every header of the simulated story: nobody shall take it for a real run. */
  readonly simulated: boolean
  /** Log lines come this late, put in order; what is shown beside them waits for them. */
  readonly lines_late_ms: number
  /** What the hosts are, in a few words. */
  readonly about: string
  /** Builds the hosts and switches them on. */
  bringUp(tell: (text: string) => void): Promise<void>
  /** Lets time pass; rejects when the story was called off. */
  pass(duration_ms: number): Promise<void>
  /** Epoch milliseconds of the story's clock. */
  now(): number
  /** As a surviving host sees the ring; undefined while none answers. */
  look(): Promise<StatusDocument | undefined>
  /** Log lines that came since the last call. */
  newLines(): Promise<readonly LogLine[]>
  /** The client's attempts that ended since the last call. */
  newMarks(): readonly Mark[]
  startWatching(): Promise<void>
  cutPower(): Promise<void>
  /** The newest incident of the target. */
  incident(): Promise<Incident | undefined>
  /** Ends client and audit. */
  stopWatching(): Promise<{ readonly client: Pick<ClientReport, 'attempts' | 'failed' | 'cuts'>; readonly audit: AuditFinding }>
}

/** Everything the table is made of. */
export interface Findings {
  readonly simulated: boolean
  /** Epoch milliseconds of the power cut. */
  readonly cut_ms: number
  readonly incident: Incident | undefined
  /** Who gave the function by a virtual server, as seen in the ring's status. */
  readonly virtual_giver: string | undefined
  /** Epoch milliseconds at which the target was seen giving its function itself again. */
  readonly returned_ms: number | undefined
  readonly client: Pick<ClientReport, 'attempts' | 'failed' | 'cuts'>
  readonly audit: AuditFinding
}
