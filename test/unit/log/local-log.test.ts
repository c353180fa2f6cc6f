import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LocalLog } from '../../../src/edges/log/local-log.ts'
import { parseLogLine } from '../../../src/edges/log/log-line.ts'
import { SetClock } from './set-clock.ts'

let directory: string
let clock: SetClock

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringward-log-'))
  clock = new SetClock('2026-11-20T23:59:58.000Z')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const lines = (name: string) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1)
const open = (options = {}) => new LocalLog({ directory, host: 'ftp', clock, ...options })

describe('local log', () => {
  it('writes at once, one line an entry, and tells who ships', async () => {
    const changed: string[] = []
    const log = open({ onWritten: (path: string) => changed.push(path) })
    log.write('info', 'Network_is_normal')
    log.write('warn', 'vsftpd_is_stop_condition', '20261120T235958000Z-ftp-login')
    expect(lines('2026-11-20.log')).toEqual([
      '2026-11-20T23:59:58.000Z ftp 000001 info incident=- Network_is_normal',
      '2026-11-20T23:59:58.000Z ftp 000002 warn incident=20261120T235958000Z-ftp-login vsftpd_is_stop_condition',
    ])
    expect(changed).toEqual([join(directory, '2026-11-20.log'), join(directory, '2026-11-20.log')])
    await log.close()
  })

  it('turns the page at midnight and counts on', async () => {
    const log = open()
    log.write('info', 'before')
    clock.advance(3_000)
    log.write('info', 'after')
    await log.close()
    expect(readdirSync(directory).sort()).toEqual(['2026-11-20.log', '2026-11-21.log'])
    expect(parseLogLine(lines('2026-11-21.log')[0] ?? '')?.sequence).toBe(2)
  })

  it('goes on counting after a restart, also behind a torn line and a clock set back', async () => {
    const first = open()
    clock.advance(3_000)
    first.write('info', 'of tomorrow')
    await first.close()
    appendFileSync(join(directory, '2026-11-21.log'), '2026-11-21T00:00:01.000Z ftp 0000')
    clock.set('2026-11-20T12:00:00.000Z')
    const second = open()
    expect(second.write('info', 'set back').sequence).toBe(2)
    clock.set('2026-11-21T00:00:02.000Z')
    second.write('info', 'behind the torn line')
    await second.close()
    expect(lines('2026-11-21.log').map(line => parseLogLine(line)?.text)).toEqual(['of tomorrow', undefined, 'behind the torn line'])
  })

  it('keeps a bounded number of files and leaves others alone', async () => {
    for (let day = 1; day <= 9; day++) writeFileSync(join(directory, `2026-11-0${day}.log`), '')
    writeFileSync(join(directory, 'agent.txt'), '')
    const log = open({ files_limit: 3 })
    log.write('info', 'x')
    await log.close()
    expect(readdirSync(directory).sort()).toEqual(['2026-11-08.log', '2026-11-09.log', '2026-11-20.log', 'agent.txt'])
  })

  it('stops at the limit of a day, says so once, and starts anew the next day', async () => {
    const problems: string[] = []
    const log = open({ day_limit_bytes: 200, onProblem: (text: string) => problems.push(text) })
    for (let line = 0; line < 10; line++) log.write('info', 'x'.repeat(40))
    clock.advance(3_000)
    log.write('info', 'new day')
    await log.close()
    expect(lines('2026-11-20.log').length).toBe(2)
    expect(lines('2026-11-21.log').length).toBe(1)
    expect(problems).toEqual(['the local log of 2026-11-20.log is full; lines are lost until the next day'])
  })

  it('never throws when the disk does not take it, says so once, and writes everything in its order when it can', async () => {
    const problems: string[] = []
    rmSync(directory, { recursive: true })
    writeFileSync(directory, 'in the way')
    const log = open({ onProblem: (text: string) => problems.push(text) })
    problems.length = 0
    log.write('info', 'waits 1')
    log.write('error', 'waits 2')
    expect(problems.length).toBe(1)
    expect(log.unwritten).toBe(2)
    rmSync(directory)
    expect(log.write('info', 'there again').sequence).toBe(3)
    expect(problems.at(-1)).toBe('the local log can be written again; 3 lines had to wait')
    expect(log.unwritten).toBe(0)
    await log.close()
    expect(lines('2026-11-20.log').map(line => parseLogLine(line)?.text)).toEqual(['waits 1', 'waits 2', 'there again'])
  })

  it('writes what had to wait into the log of its own day', async () => {
    rmSync(directory, { recursive: true })
    writeFileSync(directory, 'in the way')
    const log = open()
    log.write('info', 'yesterday')
    clock.advance(3_000)
    rmSync(directory)
    log.write('info', 'today')
    await log.close()
    expect([...lines('2026-11-20.log'), ...lines('2026-11-21.log')].map(line => parseLogLine(line)?.text)).toEqual(['yesterday', 'today'])
  })

  it('has nothing torn when a disk was full in the middle of a line', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'ringward-test', directory])
    try {
      const problems: string[] = []
      const log = open({ onProblem: (text: string) => problems.push(text) })
      for (let line = 0; line < 100; line++) log.write('info', `${line} ${'x'.repeat(1_000)}`)
      expect(log.unwritten).toBeGreaterThan(20)
      execFileSync('mount', ['-o', 'remount,size=1m', directory])
      await log.flush()
      expect(log.unwritten).toBe(0)
      expect(lines('2026-11-20.log').flatMap(line => parseLogLine(line)?.sequence ?? [])).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
      expect(problems).toEqual([expect.stringMatching(/^the local log cannot be written: .*; lines wait in memory until it can$/), expect.stringMatching(/^the local log can be written again; \d+ lines had to wait$/)])
      await log.close()
    } finally {
      execFileSync('umount', ['-l', directory])
    }
  })

  it('writes a whole line where the file with its first half was removed to make room', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'ringward-test', directory])
    try {
      const log = open()
      while (log.unwritten === 0) log.write('info', 'x'.repeat(1_000))
      const first = log.write('info', 'the last')
      rmSync(join(directory, '2026-11-20.log'))
      await log.close()
      expect(lines('2026-11-20.log').map(line => parseLogLine(line)?.sequence)).toEqual([first.sequence - 1, first.sequence])
    } finally {
      execFileSync('umount', ['-l', directory])
    }
  })
})
