import type { Style, Tone } from './style.ts'

/** A cell is its text, or a text with a tone; the tone is put on after the column was measured. */
export type Cell = string | { readonly text: string; readonly tone: Tone }

export interface Column {
  readonly title: string
  readonly right?: boolean
}

const GAP = '  '

/** Borderless aligned columns under a title line; no blanks at line ends. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], style: Style): string[] {
  const widths = columns.map((column, index) => Math.max(column.title.length, ...rows.map(row => textOf(row[index]).length)))
  const line = (cells: readonly Cell[]) => columns.map((column, index) => cellText(cells[index] ?? '', widths[index] ?? 0, column.right ?? false, style)).join(GAP).trimEnd()
  const title = columns.map(column => ({ text: column.title, tone: 'faint' as const }))
  return [line(title), ...rows.map(line)]
}

function cellText(cell: Cell, width: number, right: boolean, style: Style): string {
  const text = textOf(cell)
  const blanks = ' '.repeat(width - text.length)
  const shown = typeof cell === 'string' ? text : style(cell.tone, text)
  return right ? blanks + shown : shown + blanks
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === 'object' ? cell.text : cell ?? ''
}
