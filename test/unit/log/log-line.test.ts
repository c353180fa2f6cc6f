import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareLogEntries, formatLogLine, LINE_LIMIT_BYTES, LOG_LEVELS, parseLogLine, TEXT_LIMIT_CHARACTERS, type LogEntry } from '../../../src/edges/log/log-line.ts'

const entry: LogEntry = { time: '2026-11-20T21:03:48.123Z', host: 'ftp', sequence: 123, level: 'info', incident: null, text: '__Start_of_restart_(IPR)' }

describe('log line', () => {
  it('is readable', () => {
    expect(formatLogLine({ ...entry, incident: '20261120T210348123Z-ftp-login' })).toBe('2026-11-20T21:03:48.123Z ftp 000123 info incident=20261120T210348123Z-ftp-login __Start_of_restart_(IPR)')
    expect(formatLogLine(entry)).toContain(' incident=- ')
  })

  it('reads back what was written, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.nat(), fc.constantFrom(...LOG_LEVELS), (text, sequence, level) => {
      const written = { ...entry, text, sequence, level }
      const line = formatLogLine(written)
      expect(line).not.toMatch(/[\n\r]/)
      expect(parseLogLine(line)).toEqual(written)
    }))
  })

  it('keeps terminal controls and line ends out of the file', () => {
    expect(formatLogLine({ ...entry, text: 'a\nb\\c\u001b[2J' })).toMatch(/ a\\nb\\\\c\\u001b\[2J$/)
  })

  it('refuses torn and foreign lines', () => {
    const line = formatLogLine(entry)
    for (const torn of ['', line.slice(0, 20), line.slice(5), 'hello', `${line.replace('info', 'loud')}`]) expect(parseLogLine(torn)).toBeUndefined()
  })

  it('is bounded', () => {
    const line = formatLogLine({ ...entry, text: '\u0000'.repeat(TEXT_LIMIT_CHARACTERS * 2) })
    expect(Buffer.byteLength(line)).toBeLessThan(LINE_LIMIT_BYTES)
  })

  it('is ordered by time, host, sequence', () => {
    const later = { ...entry, time: '2026-11-20T21:03:49.000Z', host: 'a', sequence: 1 }
    const other = { ...entry, host: 'web1', sequence: 1 }
    const next = { ...entry, sequence: 124 }
    expect([later, other, next, entry].sort(compareLogEntries)).toEqual([entry, next, other, later])
  })
})
