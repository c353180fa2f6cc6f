import { reasonOf } from '../../errors.ts'

export interface BacklogOptions<Line> {
  /** For messages: `the local log`. */
  readonly what: string
  /** Throws when the disk does not take the line. */
  readonly write: (line: Line) => void
  /** It cannot be written, or can again. Called once per change. */
  readonly onProblem?: ((text: string) => void) | undefined
  readonly limit?: number
}

/** Of a few hundred bytes each: an hour of a ring in trouble. The oldest go first. */
const LIMIT = 2_000
const RETRY_MS = 5_000

/** Lines are written at once; what a full disk does not take waits in memory, in its order, until it does. Never throws. */
export class Backlog<Line> {
  private readonly options: BacklogOptions<Line>
  private readonly lines: Line[] = []
  private failing = false
  private waited = 0
  private lost = 0
  private retry: NodeJS.Timeout | undefined

  constructor(options: BacklogOptions<Line>) {
    this.options = options
  }

  /** Lines that wait. */
  get length(): number {
    return this.lines.length
  }

  write(line: Line): void {
    this.lines.push(line)
    if (this.lines.length > (this.options.limit ?? LIMIT)) {
      this.lines.shift()
      this.lost += 1
    }
    this.work()
  }

  /** One last try: what is left then is lost with this process. */
  end(): void {
    if (this.lines.length > 0) this.work()
    clearTimeout(this.retry)
  }

  private work(): void {
    clearTimeout(this.retry)
    try {
      for (let line = this.lines[0]; line !== undefined; line = this.lines[0]) {
        this.options.write(line)
        this.lines.shift()
        if (this.failing) this.waited += 1
      }
      if (this.failing) this.recovered()
    } catch (error) {
      this.failed(error)
    }
  }

  private failed(error: unknown): void {
    if (!this.failing) this.options.onProblem?.(`${this.options.what} cannot be written: ${reasonOf(error)}; lines wait in memory until it can`)
    this.failing = true
    this.retry = setTimeout(() => this.work(), RETRY_MS).unref()
  }

  private recovered(): void {
    this.options.onProblem?.(`${this.options.what} can be written again; ${this.waited} lines had to wait${this.lost > 0 ? `, and ${this.lost} more were lost` : ''}`)
    this.failing = false
    this.waited = this.lost = 0
  }
}
