/** Where the story is told: a terminal with a live picture at its foot, or plain lines for files and pipes. */
import { coloured, plain, type Style } from '../../src/cli/render/style.ts'
import { strip, StripLines } from './strip.ts'
import type { Mark } from './scene.ts'

/** The present moment, as far as the screen shows it. */
export interface Moment {
  readonly title: string
  readonly picture: readonly string[]
  readonly given: string
  readonly modes: string
  readonly marks: readonly Mark[]
}

export interface Screen {
  readonly style: Style
  readonly width: number
  /** A line that stays. */
  say(line?: string): void
  /** A step of the preparation. */
  step(text: string): void
  /** What is now; `fresh` holds the client's attempts since the last call. */
  show(moment: Moment, fresh: readonly Mark[]): void
  /** Ends the live part: what was shown last stays as it is. */
  rest(): void
}

interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

const PLAIN_WIDTH = 160
const LEAST_WIDTH = 76
/** The live part is twelve lines high and the picture as wide as this; on a smaller terminal redrawing would not meet its lines. */
const LEAST_ROWS = 16
const INDENT = '  '
const LABEL_CHARACTERS = 12

/** Colours and cursor movements only where a person looks at a terminal that knows them. */
export function openScreen(output: Output): Screen {
  const terminal = output.isTTY === true && process.env['TERM'] !== 'dumb'
  const style = terminal && !process.env['NO_COLOR'] ? coloured : plain
  const large = (output.rows ?? LEAST_ROWS) >= LEAST_ROWS && (output.columns ?? LEAST_WIDTH) > LEAST_WIDTH
  return terminal && large ? new TerminalScreen(output, style) : new PlainScreen(output, style)
}

/** A line of the live part that wrapped would be two to erase. */
function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}

class TerminalScreen implements Screen {
  readonly style: Style
  private readonly output: Output
  private drawn = 0
  private last = ''

  constructor(output: Output, style: Style) {
    this.output = output
    this.style = style
  }

  get width(): number {
    // One less: a full last column makes some terminals wrap.
    return Math.max(LEAST_WIDTH, (this.output.columns ?? LEAST_WIDTH) - 1)
  }

  say(line = ''): void {
    const again = this.drawn > 0
    this.output.write(`${this.erase()}${line}\n${again ? this.last : ''}`)
    if (again) this.drawn = this.last.split('\n').length - 1
  }

  step(text: string): void {
    this.say(`${INDENT}${this.style('faint', '·')} ${text}`)
  }

  show(moment: Moment, _fresh: readonly Mark[]): void {
    const { style } = this
    const room = this.width - INDENT.length - LABEL_CHARACTERS
    const label = (text: string) => `${INDENT}${style('faint', text.padEnd(LABEL_CHARACTERS))}`
    const lines = [
      '', style('title', fit(moment.title, this.width)), '', ...moment.picture.map(line => `${INDENT}${INDENT}${line}`), '',
      `${label('given by')}${fit(moment.given, room)}`,
      `${label('watched by')}${fit(moment.modes, room)}`,
      `${label('client')}${strip(moment.marks, room, style)}`,
      `${label('')}${style('faint', 'a mark every 100 ms: ─ OK, X XX')}`,
    ]
    const text = `${lines.join('\n')}\n`
    if (text === this.last && this.drawn > 0) return
    this.output.write(`${this.erase()}${text}`)
    this.last = text
    this.drawn = lines.length
  }

  rest(): void {
    // What was drawn last stays as it is.
    this.drawn = 0
    this.last = ''
  }

  /** Up to the first line of the live part, and clear from there on. */
  private erase(): string {
    const { drawn } = this
    this.drawn = 0
    return drawn === 0 ? '' : `\u001b[${drawn}A\r\u001b[J`
  }
}

class PlainScreen implements Screen {
  readonly style: Style
  readonly width = PLAIN_WIDTH
  private readonly output: Output
  private readonly strip = new StripLines()
  private last = ''

  constructor(output: Output, style: Style) {
    this.output = output
    this.style = style
  }

  say(line = ''): void {
    this.output.write(`${line}\n`)
  }

  step(text: string): void {
    this.say(`- ${text}`)
  }

  show(moment: Moment, fresh: readonly Mark[]): void {
    for (const line of this.strip.add(fresh)) this.say(`${INDENT}${line}`)
    // Modes change with lines of the log that are printed anyway.
    const seen = [...moment.picture, moment.given].join('\n')
    if (seen === this.last) return
    this.last = seen
    this.say()
    for (const line of moment.picture) this.say(`${INDENT}${INDENT}${line}`)
    this.say(`${INDENT}given by ${moment.given}; watched by ${moment.modes}`)
    this.say()
  }

  rest(): void {
    for (const line of this.strip.end()) this.say(`${INDENT}${line}`)
  }
}
