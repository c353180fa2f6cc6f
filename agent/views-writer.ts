import type { State } from '../src/core/state.ts'
import { isPresent } from '../src/core/presence.ts'
import type { Share } from '../src/edges/share/share.ts'
import { renderViews } from '../src/report/views.ts'

/** People read these; a second's delay is nothing. */
const LOOK_MS = 1_000
const WRITE_LIMIT_MS = 1_500
/** Load figures change all the time; the file need not. */
const CONDITION_EVERY_MS = 10_000

/** The first host of the ring writes the management files for people. Never read back, so a failure costs nothing. */
export class ViewsWriter {
  private readonly state: State
  private readonly share: Share
  private readonly timer: NodeJS.Timeout
  private readonly written = new Map<string, string>()
  private condition_age_ms = CONDITION_EVERY_MS
  private number = 0
  private writing = false

  constructor(state: State, share: Share) {
    this.state = state
    this.share = share
    this.timer = setInterval(() => void this.look(), LOOK_MS)
  }

  private async look(): Promise<void> {
    const { state } = this
    this.condition_age_ms += LOOK_MS
    const first = state.order.find(name => isPresent(state, name)) === state.self && state.own.deadline_ms > 0
    if (this.writing || !first || !state.share.good) {
      if (!first) this.written.clear()
      return
    }
    this.writing = true
    try {
      await this.write()
    } catch {
      // The share is away: its own state says so; the files follow when it is back.
      this.written.clear()
    } finally {
      this.writing = false
    }
  }

  private async write(): Promise<void> {
    let changed = false
    const views = renderViews(this.state)
    for (const [name, text] of views) {
      if (this.written.get(name) === text || (name === 'Condition' && this.condition_age_ms < CONDITION_EVERY_MS)) continue
      await this.share.writeView(`files/${name}`, text, { deadline_ms: WRITE_LIMIT_MS })
      this.written.set(name, text)
      if (name === 'Condition') this.condition_age_ms = 0
      else changed = true
    }
    if (!changed) return
    this.number = (this.number + 1) % VIEWS_KEPT
    const ring = Object.fromEntries([...views].filter(([name]) => name !== 'Condition'))
    await this.share.writeView(`views/${this.number}.json`, `${JSON.stringify({ schema: 'ringward.view/1', by: this.state.self, ...ring })}\n`, { deadline_ms: WRITE_LIMIT_MS })
  }

  stop(): void {
    clearInterval(this.timer)
  }
}

/** The last changes of the ring, in turn. */
const VIEWS_KEPT = 16
