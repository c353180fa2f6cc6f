import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { IncidentsDocument } from '../../control/documents.ts'
import { RingwardError } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import type { Share } from '../share/share.ts'
import { availabilityOf } from './availability.ts'
import { Backlog } from './backlog.ts'
import { foldIncidents, type IncidentRecord } from './incident-fold.ts'
import { INCIDENT_ID, parseIncidentLine, type IncidentLine } from './incident-line.ts'

export interface IncidentStoreOptions {
  /** Local folder of this host's own records. */
  readonly directory: string
  /** Absent where this host has no shared area: then only its own records are known. */
  readonly share?: Pick<Share, 'list' | 'readAt'>
  readonly clock: Clock
  /** A record got longer; the shipper wants to know. */
  readonly onWritten?: (path: string) => void
  readonly onProblem?: (text: string) => void
}

/** A year of a troubled ring; older records stay in the shared area. */
const LOCAL_RECORDS_LIMIT = 500
/** A month of a troubled ring; each read costs some milliseconds. */
const LISTED_RECORDS_LIMIT = 200
/** A record of a thousand stages. Beyond that only the beginning is read. */
const RECORD_LIMIT_BYTES = 512 * 1024
/** Of the whole look at the shared area; the command line promises an answer within a second. */
const READ_LIMIT_MS = 700
const SUFFIX = '.jsonl'
/** Below the host's state folder, and in the shared area. */
export const INCIDENTS_FOLDER = 'incidents'

/**
 * Incident records: written to this host's disk first, brought to `incidents/<id>.jsonl` of the shared area by the log
 * shipper, read back from all hosts. One writer per record: the host that appends.
 */
export class IncidentStore {
  private readonly options: IncidentStoreOptions
  /** Records this process has appended to: their last line is whole. */
  private readonly whole = new Set<string>()
  private readonly backlog: Backlog<{ readonly id: string; readonly line: IncidentLine }>

  constructor(options: IncidentStoreOptions) {
    this.options = options
    this.backlog = new Backlog({ what: 'the record of incidents on this host', write: ({ id, line }) => this.write(id, line), onProblem: options.onProblem })
  }

  /** Appends a stage. Synchronous, so that the record stands before the act; what a full disk does not take waits in memory. INTERNAL for what is no id. */
  append(id: string, line: IncidentLine): void {
    if (!INCIDENT_ID.test(id)) throw new RingwardError('INTERNAL', `"${id}" is no incident id`)
    this.backlog.write({ id, line })
  }

  /** Stages that the disk has not taken yet. */
  get unwritten(): number {
    return this.backlog.length
  }

  /** Tries once more to write what waits. */
  end(): void {
    this.backlog.end()
  }

  private write(id: string, line: IncidentLine): void {
    const path = join(this.options.directory, `${id}${SUFFIX}`)
    try {
      const first = !this.whole.has(id)
      if (first) this.prepare()
      appendFileSync(path, `${first && endsTorn(path) ? '\n' : ''}${JSON.stringify(line)}\n`, { mode: 0o640 })
      this.whole.add(id)
      this.options.onWritten?.(path)
    } catch (error) {
      // What a full disk took of the line stands there without its end.
      this.whole.delete(id)
      throw error
    }
  }

  /**
   * At the start of an agent: what its former life had open it knows nothing of. Its record ends here; whoever manages the target, this host perhaps, goes on
   * with an incident of its own where one is needed.
   */
  endFormer(host: string): void {
    for (const { id, outcome, target } of foldIncidents(this.localRecords())) {
      if (outcome !== 'open') continue
      this.append(id, { at: this.options.clock.wall().toISOString(), host, stage: 'closed', outcome: 'passed on', text: `the agent of ${host} started anew; whoever is P1 of ${target} goes on` })
    }
  }

  /** All incidents, newest first: from the shared area, or this host's own while that does not answer. */
  async document(): Promise<IncidentsDocument> {
    const records = new Map(this.localRecords().map(record => [record.id, record]))
    let source: IncidentsDocument['source'] = 'share'
    try {
      await this.addShared(records)
    } catch (error) {
      if (!(error instanceof RingwardError)) throw error
      source = 'local'
    }
    const now = this.options.clock.wall()
    const incidents = foldIncidents([...records.values()])
    return { schema: 'ringward.incidents/1', at: now.toISOString(), source, incidents, availability: availabilityOf(incidents, now) }
  }

  /** Newest first, so that what a slow share yields in time is what matters. This host's own records are whole on its own disk. */
  private async addShared(records: Map<string, IncidentRecord>): Promise<void> {
    const { share, clock } = this.options
    if (!share) throw new RingwardError('SHARE_ERROR', 'this host has no shared area')
    const until_ms = clock.boot_ms() + READ_LIMIT_MS
    const wait = () => ({ deadline_ms: Math.max(1, Math.floor(until_ms - clock.boot_ms())) })
    const ids = (await share.list(INCIDENTS_FOLDER, wait())).filter(name => name.endsWith(SUFFIX)).map(name => name.slice(0, -SUFFIX.length))
    for (const id of ids.filter(id => INCIDENT_ID.test(id)).sort().reverse().slice(0, LISTED_RECORDS_LIMIT)) {
      if (records.has(id)) continue
      const bytes = await share.readAt(`${INCIDENTS_FOLDER}/${id}${SUFFIX}`, 0, RECORD_LIMIT_BYTES, wait())
      records.set(id, { id, lines: linesOf(bytes.toString('utf8')) })
    }
  }

  private localRecords(): IncidentRecord[] {
    try {
      return this.localIds().slice(-LISTED_RECORDS_LIMIT).map(id => ({ id, lines: linesOf(readFileSync(join(this.options.directory, `${id}${SUFFIX}`), 'utf8')) }))
    } catch {
      return []
    }
  }

  private localIds(): string[] {
    return readdirSync(this.options.directory).filter(name => name.endsWith(SUFFIX)).map(name => name.slice(0, -SUFFIX.length)).filter(id => INCIDENT_ID.test(id)).sort()
  }

  private prepare(): void {
    const { directory } = this.options
    mkdirSync(directory, { recursive: true, mode: 0o750 })
    const ids = this.localIds()
    for (const id of ids.slice(0, Math.max(0, ids.length - LOCAL_RECORDS_LIMIT))) {
      unlinkSync(join(directory, `${id}${SUFFIX}`))
      this.whole.delete(id)
    }
  }
}

function linesOf(text: string): IncidentLine[] {
  return text.split('\n').map(line => parseIncidentLine(line)).filter(line => line !== undefined)
}

/** A power cut may have torn the last line. */
function endsTorn(path: string): boolean {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch {
    return false
  }
  try {
    const { size } = fstatSync(descriptor)
    const byte = Buffer.alloc(1)
    return size > 0 && readSync(descriptor, byte, 0, 1, size - 1) === 1 && byte[0] !== 10
  } finally {
    closeSync(descriptor)
  }
}
