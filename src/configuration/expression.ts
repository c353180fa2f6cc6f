import type { Reading } from './values.ts'

/** An answer of a service is recognised by a few words; more is a mistake. */
const EXPRESSION_LIMIT = 200
/** Each unbounded repetition can multiply the work by the length of the answer. */
const UNBOUNDED_LIMIT = 3
/** Counted repetitions are unrolled by the engine. */
const COUNT_LIMIT = 100

/**
 * A regular expression of a probe. The engine backtracks, and an answer that takes minutes to refuse would blind
 * the manager: so no repetition within a repetition, no back reference, and a limit on all sizes.
 */
export function readExpression(text: string): Reading<string> {
  if (text.length === 0) return { wrong: 'is empty, which every answer matches' }
  if (text.length > EXPRESSION_LIMIT) return { wrong: `is longer than ${EXPRESSION_LIMIT} characters` }
  try {
    new RegExp(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(': ').at(-1) : 'unknown reason'
    return { wrong: `is not a regular expression: ${reason ?? ''}` }
  }
  const wrong = costOf(text)
  return wrong === undefined ? { value: text } : { wrong }
}

/** Walks an expression that is known to compile; answers with what makes it too costly. */
function costOf(text: string): string | undefined {
  /** For each open group: does it hold a repetition or a choice, so that repeating it is ambiguous? */
  const groups: boolean[] = [false]
  let closed: boolean | undefined
  let unbounded = 0
  const token = /\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?|\)|\{(\d+)(,?)(\d*)\}|[*+?|]|[^]/g
  for (const found of text.matchAll(token)) {
    const [part, least, comma, most] = found
    const repeats = part === '*' || part === '+' || least !== undefined
    if (/^\\[1-9k]/.test(part)) return 'has a back reference, which can take for ever to refuse an answer'
    if (part.startsWith('(')) groups.push(false)
    if (repeats) {
      if (closed) return 'repeats a group that holds a repetition or a choice, which can take for ever to refuse an answer'
      if (Math.max(Number(least ?? 0), Number(most ?? 0)) > COUNT_LIMIT) return `repeats more than ${COUNT_LIMIT} times`
      if (least === undefined || (comma === ',' && most === '')) unbounded++
      if (unbounded > UNBOUNDED_LIMIT) return `has more than ${UNBOUNDED_LIMIT} unbounded repetitions`
    }
    // "?" after a repetition only makes it lazy; elsewhere it is a choice, as "|" is.
    if (repeats || part === '|' || part === '?') groups[groups.length - 1] = true
    closed = part === ')' ? groups.pop() : undefined
    if (closed) groups[groups.length - 1] = true
  }
  return undefined
}
