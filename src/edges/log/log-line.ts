/**
 * The system log (thesis F6): one line of text per entry, for people and for the merge alike.
 * `2026-11-20T21:03:48.123Z ftp 000123 info incident=20261120T210348123Z-ftp-login __Start_of_restart_(IPR)`
 * Lines of background jobs begin with `__` in their text, as in the thesis. Stamps are UTC by the writer's wall clock,
 * which differs between hosts; within a host the sequence tells the order.
 */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LogEntry {
  readonly time: string
  readonly host: string
  /** Grows by one with each line of the host, over days and restarts. */
  readonly sequence: number
  readonly level: LogLevel
  readonly incident: string | null
  readonly text: string
}

/** A candidate list of 256 hosts fits; what is longer is cut, so that a line never fills the log. */
export const TEXT_LIMIT_CHARACTERS = 8_000
/** Escapes make a character at most four bytes longer than its UTF-8; the head of a line is below 1 KiB. */
export const LINE_LIMIT_BYTES = 64 * 1024

const SEQUENCE_DIGITS = 6
const LINE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) (\d{6,15}) (debug|info|warn|error) incident=(\S+) (.*)$/
/** Control characters would break the line or play tricks on a terminal. */
const UNSAFE = /[\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/g
const ESCAPE = /\\(?:u([0-9a-f]{4})|(.))/g

/** The line without its end. */
export function formatLogLine(entry: LogEntry): string {
  const sequence = String(entry.sequence).padStart(SEQUENCE_DIGITS, '0')
  return `${entry.time} ${entry.host} ${sequence} ${entry.level} incident=${entry.incident ?? '-'} ${escape(cut(entry.text))}`
}

/** The entry a line holds, or undefined for a torn or foreign line. */
export function parseLogLine(line: string): LogEntry | undefined {
  const parts = LINE.exec(line)
  if (!parts) return undefined
  const [, time = '', host = '', sequence = '', level = 'info', incident = '-', text = ''] = parts
  return { time, host, sequence: Number(sequence), level: level as LogLevel, incident: incident === '-' ? null : incident, text: unescape(text) }
}

/** Order of the merged log: time, host, sequence. */
export function compareLogEntries(a: LogEntry, b: LogEntry): number {
  return compareText(a.time, b.time) || compareText(a.host, b.host) || a.sequence - b.sequence
}

/** File of a moment's day: `2026-11-20.log`, by UTC so that all hosts turn the page together. */
export function logFileName(time: Date): string {
  return `${time.toISOString().slice(0, 10)}.log`
}

export const LOG_FILE_NAME = /^\d{4}-\d\d-\d\d\.log$/

function cut(text: string): string {
  return text.length <= TEXT_LIMIT_CHARACTERS ? text : `${text.slice(0, TEXT_LIMIT_CHARACTERS - 1)}…`
}

function escape(text: string): string {
  return text.replace(UNSAFE, character => {
    if (character === '\\') return '\\\\'
    if (character === '\n') return '\\n'
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

function unescape(text: string): string {
  return text.replace(ESCAPE, (_all, code: string | undefined, single: string | undefined) => {
    if (code !== undefined) return String.fromCharCode(parseInt(code, 16))
    return single === 'n' ? '\n' : single ?? ''
  })
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
