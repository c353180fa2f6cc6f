import { join } from 'node:path'
import type { Places } from '../src/configuration/places.ts'
import type { IncidentEntry, Reason } from '../src/core/command.ts'
import type { Clock } from '../src/edges/clock.ts'
import { IncidentStore, INCIDENTS_FOLDER } from '../src/edges/log/incident-store.ts'
import { LocalLog } from '../src/edges/log/local-log.ts'
import { LogShipper } from '../src/edges/log/log-shipper.ts'
import type { Share } from '../src/edges/share/share.ts'

const LEVELS = { info: 'info', warning: 'warn', alarm: 'error' } as const

export interface JournalOptions {
  readonly host: string
  readonly places: Places
  readonly clock: Clock
  readonly share: Share
  readonly onProblem: (text: string) => void
}

/** What this host writes down: the system log and the records of incidents, locally first, shipped to the share when it answers. */
export class Journal {
  readonly incidents: IncidentStore
  private readonly log: LocalLog
  private readonly shipper: LogShipper
  private readonly options: JournalOptions

  constructor(options: JournalOptions) {
    this.options = options
    const { places, host, clock, share, onProblem } = options
    const incidents = join(places.state, INCIDENTS_FOLDER)
    this.shipper = new LogShipper({
      share, clock, onProblem, state_file: join(places.state, 'shipped.json'),
      folders: [{ local: places.log, share: `log/${host}`, suffix: '.log' }, { local: incidents, share: INCIDENTS_FOLDER, suffix: '.jsonl' }],
    })
    const onWritten = (path: string): void => this.shipper.changed(path)
    this.log = new LocalLog({ directory: places.log, host, clock, onProblem, onWritten })
    this.incidents = new IncidentStore({ directory: incidents, share, clock, onProblem, onWritten })
  }

  start(): void {
    this.incidents.endFormer(this.options.host)
    this.shipper.start()
  }

  reasons(reasons: readonly Reason[]): void {
    for (const { level, text, incident } of reasons) this.log.write(LEVELS[level], text, incident ? incident : null)
  }

  note(text: string): void {
    this.log.write('info', text)
  }

  warn(text: string): void {
    this.log.write('warn', text)
  }

  incident({ incident, target, after_ms, detail, ...rest }: IncidentEntry): void {
    this.incidents.append(incident, { ...rest, target, after_ms, at: this.options.clock.wall().toISOString(), host: this.options.host, ...(detail === undefined ? {} : { text: detail }) })
  }

  /** Lines and stages that the disk of this host has not taken yet. */
  get unwritten(): number {
    return this.log.unwritten + this.incidents.unwritten
  }

  /** Gives the last lines a chance to arrive; the rest is shipped by the next agent. */
  async end(): Promise<void> {
    this.incidents.end()
    await this.log.flush()
    await this.shipper.stop()
  }
}
