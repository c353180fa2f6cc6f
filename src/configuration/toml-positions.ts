/**
 * Where each key of a TOML text stands. The parser tells places only in syntax errors, and the validator only paths,
 * so this walks a text that is already known to be valid TOML and notes the place of every key, table and element.
 */
export interface Position {
  /** From 1. */
  readonly line: number
  readonly column: number
}

export type TomlPath = readonly (string | number)[]

export class TomlPositions {
  private readonly places = new Map<string, Position>()

  constructor(text: string) {
    const lines = lineStarts(text)
    new Walk(text, (path, offset) => {
      const key = JSON.stringify(path)
      if (!this.places.has(key)) this.places.set(key, positionAt(lines, offset))
    }).document()
  }

  /** The place of the path, or of the nearest table around it; a missing key points at its table. */
  of(path: TomlPath): Position {
    for (let length = path.length; length > 0; length--) {
      const position = this.places.get(JSON.stringify(path.slice(0, length)))
      if (position) return position
    }
    return { line: 1, column: 1 }
  }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1)
  return starts
}

/** The last line that starts at or before the offset, by halving. */
function positionAt(lines: readonly number[], offset: number): Position {
  let low = 0
  let high = lines.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((lines[middle] ?? 0) <= offset) low = middle
    else high = middle
  }
  return { line: low + 1, column: offset - (lines[low] ?? 0) + 1 }
}

type Note = (path: TomlPath, offset: number) => void

/** One pass over valid TOML 1.x; on anything it does not understand it stops rather than guess. */
class Walk {
  private at = 0
  /** How many elements each array of tables has so far. */
  private readonly tables = new Map<string, number>()
  private readonly text: string
  private readonly note: Note

  constructor(text: string, note: Note) {
    this.text = text
    this.note = note
  }

  document(): void {
    let table: TomlPath = []
    for (this.skip(); this.at < this.text.length; this.skip()) {
      const before = this.at
      if (this.text[this.at] === '[') table = this.header()
      else this.pair(table)
      if (this.at === before) return
    }
  }

  private header(): TomlPath {
    const start = this.at
    const repeated = this.text.startsWith('[[', this.at)
    this.at += repeated ? 2 : 1
    const keys = this.keys()
    this.at += repeated ? 2 : 1
    const path: (string | number)[] = []
    keys.forEach((key, index) => {
      path.push(key)
      const name = JSON.stringify(path)
      const count = this.tables.get(name)
      if (repeated && index === keys.length - 1) {
        this.tables.set(name, (count ?? 0) + 1)
        this.note(path, start)
        path.push(count ?? 0)
      } else if (count !== undefined) {
        path.push(count - 1)
      }
      this.note(path, start)
    })
    return path
  }

  private pair(table: TomlPath): void {
    const start = this.at
    const keys = this.keys()
    keys.forEach((_, index) => this.note([...table, ...keys.slice(0, index + 1)], start))
    if (this.text[this.at] === '=') this.at++
    this.value([...table, ...keys])
  }

  /** A dotted key; ends on the character after it and its spaces. */
  private keys(): string[] {
    const keys: string[] = []
    for (;;) {
      this.spaces()
      const quote = this.text[this.at]
      if (quote === '"' || quote === "'") {
        const start = this.at
        this.string(quote)
        keys.push(unquoted(this.text.slice(start, this.at)))
      } else {
        keys.push(this.match(/[A-Za-z0-9_-]*/y))
      }
      this.spaces()
      if (this.text[this.at] !== '.') return keys
      this.at++
    }
  }

  private value(path: TomlPath): void {
    this.skip()
    const first = this.text[this.at]
    if (first === '[') this.array(path)
    else if (first === '{') this.inlineTable(path)
    else if (first === '"' || first === "'") this.string(first)
    else this.match(/[^,\]}#\n]*/y)
  }

  private array(path: TomlPath): void {
    this.at++
    for (let index = 0; this.more(']'); index++) {
      this.note([...path, index], this.at)
      this.value([...path, index])
    }
  }

  private inlineTable(path: TomlPath): void {
    this.at++
    while (this.more('}')) this.pair(path)
  }

  /** Skips to the next element; false, and past the bracket, when there is none. */
  private more(end: string): boolean {
    this.skip()
    if (this.text[this.at] === ',') {
      this.at++
      this.skip()
    }
    if (this.at >= this.text.length) return false
    if (this.text[this.at] !== end) return true
    this.at++
    return false
  }

  private string(quote: string): void {
    const triple = quote.repeat(3)
    const end = this.text.startsWith(triple, this.at) ? triple : quote
    this.at += end.length
    while (this.at < this.text.length && !this.text.startsWith(end, this.at)) {
      this.at += quote === '"' && this.text[this.at] === '\\' ? 2 : 1
    }
    this.at += end.length
    // Up to two quotes may stand right before the closing three.
    while (end === triple && this.text[this.at] === quote) this.at++
  }

  /** Space, line ends and comments. */
  private skip(): void {
    this.match(/(?:[ \t\r\n]+|#[^\n]*)*/y)
  }

  private spaces(): void {
    this.match(/[ \t]*/y)
  }

  private match(expression: RegExp): string {
    expression.lastIndex = this.at
    const found = expression.exec(this.text)?.[0] ?? ''
    this.at += found.length
    return found
  }
}

function unquoted(key: string): string {
  if (key.startsWith("'")) return key.slice(1, -1)
  try {
    return String(JSON.parse(key))
  } catch {
    return key.slice(1, -1)
  }
}
