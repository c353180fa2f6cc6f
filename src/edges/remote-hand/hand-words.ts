import { parseJson } from '../lines.ts'
import type { HandResult, HandVerb } from './remote-hand.ts'

/** Both ends of a remote hand: what may be said, and how it is answered. */

/** The name both ends use for the forced command; sshd never looks it up. */
const PROGRAM = 'ringward-hand'
/** No blank, quote, slash or dollar: nothing in it could mean anything to a shell, a path or an option parser but `-`. */
const ARGUMENT = /^[A-Za-z0-9:._-]{1,64}$/
/** `release` has the most. */
const ARGUMENTS_LIMIT = 2
/** One line of the log. */
const DETAIL_LIMIT_CHARACTERS = 400

/** The patterns of each verb's arguments, in order. */
const VERBS: Readonly<Record<HandVerb, readonly RegExp[]>> = {
  ping: [],
  'restart-daemon': [/^(?:0|[1-9]\d?)$/],
  release: [/^[a-z0-9][a-z0-9-]{0,62}$/, /^[1-9]\d{0,14}$/],
  reboot: [],
  'flag-on': [],
  'flag-off': [],
}

export interface HandCommand {
  readonly verb: HandVerb
  readonly args: readonly string[]
}

/** The command string for `exec`, or undefined when an argument is not allowed. */
export function formatCommand(verb: HandVerb, args: readonly string[]): string | undefined {
  if (!Object.hasOwn(VERBS, verb) || args.length > ARGUMENTS_LIMIT || !args.every(arg => ARGUMENT.test(arg))) return undefined
  return [PROGRAM, verb, ...args].join(' ')
}

/**
 * Reads what the caller asked sshd to run, strictly: the program's name, a verb of the list, its arguments, parted by single
 * blanks, and nothing else. Undefined for anything else.
 */
export function parseCommand(original: string | undefined): HandCommand | undefined {
  const [program, verb, ...args] = (original ?? '').split(' ')
  if (program !== PROGRAM || verb === undefined || !Object.hasOwn(VERBS, verb)) return undefined
  const patterns = VERBS[verb as HandVerb]
  if (args.length !== patterns.length || !args.every((arg, index) => ARGUMENT.test(arg) && patterns[index]?.test(arg))) return undefined
  return { verb: verb as HandVerb, args }
}

/** The one line a hand answers with. */
export function formatAnswer(result: HandResult): string {
  return `${JSON.stringify({ ok: result.ok, detail: oneLine(result.detail) })}\n`
}

/** The target may be broken or taken over: its answer is checked like any stranger's. */
export function parseAnswer(text: string): HandResult {
  const value = parseJson(text.trim())
  if (typeof value === 'object' && value !== null && 'ok' in value && 'detail' in value && typeof value.ok === 'boolean' && typeof value.detail === 'string') {
    return { ok: value.ok, detail: oneLine(value.detail) }
  }
  return { ok: false, detail: `unreadable answer: "${oneLine(text).slice(0, 80)}"` }
}

/** Printable ASCII with single blanks, bounded: whatever a target or a program said may stand in a log. */
export function oneLine(text: string): string {
  return text.replace(/[^\x21-\x7e]+/g, ' ').trim().slice(0, DETAIL_LIMIT_CHARACTERS)
}
