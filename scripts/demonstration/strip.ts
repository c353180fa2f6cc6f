/** The client's view as a strip: one mark for each attempt. Pure. */
import type { Style } from '../../src/cli/render/style.ts'
import type { Mark } from './scene.ts'

/** More than any terminal is wide. */
const KEPT_MARKS = 400

export function addMarks(marks: readonly Mark[], more: readonly Mark[]): readonly Mark[] {
  return more.length === 0 ? marks : [...marks, ...more].slice(-KEPT_MARKS)
}

/** The newest attempts that fit, oldest first: `─` good, `X` bad. Neighbours of one kind share one colour code. */
export function strip(marks: readonly Mark[], width: number, style: Style): string {
  if (width <= 0) return ''
  const runs = marks.slice(-width).map(mark => mark.ok ? '─' : 'X').join('').match(/─+|X+/g) ?? []
  return runs.map(run => style(run.startsWith('X') ? 'bad' : 'good', run)).join('')
}

const SECOND_CHARACTERS = 'HH:MM:SS'.length

/**
 * For output without a terminal: one line a second, and only for seconds that say something new, which are the first one,
 * those with a bad attempt, and the one after them.
 */
export class StripLines {
  private second = ''
  private words: string[] = []
  private quiet = false

  /** The lines that are complete with these attempts. */
  add(marks: readonly Mark[]): string[] {
    const lines: string[] = []
    for (const { clock, ok } of marks) {
      const second = clock.slice(0, SECOND_CHARACTERS)
      if (second !== this.second) {
        lines.push(...this.end())
        this.second = second
      }
      this.words.push(ok ? 'OK' : 'XX')
    }
    return lines
  }

  /** The line of the second under way, if it is worth one. */
  end(): string[] {
    const { second, words } = this
    this.words = []
    if (words.length === 0) return []
    const good = !words.includes('XX')
    const said = good && this.quiet
    this.quiet = good
    return said ? [] : [`${second}  client  ${words.join(' ')}${good ? '  (and so on)' : ''}`]
  }
}
