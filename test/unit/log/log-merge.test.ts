import fc from 'fast-check'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FallbackLogFiles } from '../../../src/edges/log/fallback-log-files.ts'
import { lastLoggedHost, localLogFiles, sharedLogFiles } from '../../../src/edges/log/log-files.ts'
import { compareLogEntries, formatLogLine, type LogEntry } from '../../../src/edges/log/log-line.ts'
import { mergeLogs } from '../../../src/edges/log/log-merge.ts'
import { LogTail } from '../../../src/edges/log/log-tail.ts'
import { MemoryShareWorld } from '../../../src/edges/share/memory-share.ts'

function entry(host: string, sequence: number, at_ms: number, text = `${host} ${sequence}`): LogEntry {
  return { time: new Date(Date.parse('2026-11-20T00:00:00.000Z') + at_ms).toISOString(), host, sequence, level: 'info', incident: null, text }
}

async function* from(entries: readonly LogEntry[]): AsyncGenerator<LogEntry> {
  for (const one of entries) yield await Promise.resolve(one)
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

const fileOf = (entries: readonly LogEntry[]) => Buffer.from(entries.map(one => `${formatLogLine(one)}\n`).join(''))

describe('merge', () => {
  it('equals sorting everything, when each host is in order', async () => {
    const hosts = fc.array(fc.array(fc.nat(1_000), { maxLength: 20 }), { maxLength: 6 })
    await fc.assert(fc.asyncProperty(hosts, async times => {
      const logs = times.map((list, host) => [...list].sort((a, b) => a - b).map((at, index) => entry(`host${host}`, index + 1, at)))
      expect(await all(mergeLogs(logs.map(from)))).toEqual(logs.flat().sort(compareLogEntries))
    }))
  })

  it('keeps the order within a host whose clock was set back', async () => {
    const back = [entry('a', 1, 5_000), entry('a', 2, 1_000), entry('a', 3, 6_000)]
    const merged = await all(mergeLogs([from(back), from([entry('b', 1, 2_000)])]))
    expect(merged.filter(one => one.host === 'a').map(one => one.sequence)).toEqual([1, 2, 3])
  })

  it('holds one entry a source: it asks for the next only when one was taken', async () => {
    let asked = 0
    async function* endless(): AsyncGenerator<LogEntry> {
      for (;;) yield await Promise.resolve(entry('a', ++asked, asked))
    }
    const merged = mergeLogs([endless()])
    for (let taken = 0; taken < 5; taken++) await merged.next()
    await merged.return(undefined)
    expect(asked).toBe(5)
  })
})

describe('tail', () => {
  it('reads all hosts over days, passes over torn lines and holes, and goes on', async () => {
    const world = new MemoryShareWorld()
    const day_ms = 86_400_000
    world.files.set('log/ftp/2026-11-20.log', Buffer.concat([fileOf([entry('ftp', 1, 100)]), Buffer.from('2026-11-20T00:00:00.200Z ftp 00')]))
    world.files.set('log/ftp/2026-11-21.log', fileOf([entry('ftp', 3, day_ms)]))
    world.files.set('log/mail/2026-11-20.log', Buffer.concat([Buffer.alloc(10), fileOf([entry('mail', 1, 50), entry('mail', 2, 150)])]))
    const tail = new LogTail({ files: sharedLogFiles(world.connect()), since: '' })
    expect((await all(tail.history())).map(one => one.text)).toEqual(['mail 1', 'ftp 1', 'mail 2', 'ftp 3'])
    expect(await tail.poll()).toEqual([])
    const torn = fileOf([entry('ftp', 3, day_ms), entry('ftp', 4, day_ms + 1)])
    world.files.set('log/ftp/2026-11-21.log', torn.subarray(0, -5))
    expect(await tail.poll()).toEqual([])
    world.files.set('log/ftp/2026-11-21.log', torn)
    expect((await tail.poll()).map(one => one.text)).toEqual(['ftp 4'])
    world.files.set('log/ftp/2026-11-22.log', fileOf([entry('ftp', 5, 2 * day_ms)]))
    world.files.set('log/web1/2026-11-22.log', fileOf([entry('web1', 1, 2 * day_ms)]))
    const later: string[] = []
    for (let poll = 0; poll < 30; poll++) later.push(...(await tail.poll()).map(one => one.text))
    expect(later.sort()).toEqual(['ftp 5', 'web1 1'])
  })

  it('begins at a moment and with a host', async () => {
    const world = new MemoryShareWorld()
    world.files.set('log/ftp/2026-11-19.log', Buffer.from('not read at all'))
    world.files.set('log/ftp/2026-11-20.log', fileOf([entry('ftp', 1, 100), entry('ftp', 2, 200)]))
    world.files.set('log/mail/2026-11-20.log', fileOf([entry('mail', 1, 300)]))
    const tail = new LogTail({ files: sharedLogFiles(world.connect()), since: '2026-11-20T00:00:00.200Z', host: 'ftp' })
    expect((await all(tail.history())).map(one => one.text)).toEqual(['ftp 2'])
  })

  it('falls back to this host\'s own log while the share is silent, and goes on there without a line twice', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ringward-tail-'))
    try {
      const world = new MemoryShareWorld()
      const entries = [entry('ftp', 1, 100), entry('ftp', 2, 200), entry('ftp', 3, 300)]
      world.files.set('log/ftp/2026-11-20.log', fileOf(entries.slice(0, 1)))
      mkdirSync(join(directory, 'log'))
      writeFileSync(join(directory, 'log', '2026-11-20.log'), fileOf(entries.slice(0, 2)))
      const changes: boolean[] = []
      const files = new FallbackLogFiles(sharedLogFiles(world.connect(), 20), localLogFiles(join(directory, 'log'), 'ftp'), silent => changes.push(silent))
      const tail = new LogTail({ files, since: '' })
      expect((await all(tail.history())).map(one => one.sequence)).toEqual([1])
      world.mood = 'hang'
      expect((await tail.poll()).map(one => one.sequence)).toEqual([2])
      expect(changes).toEqual([true])
      world.mood = 'answer'
      world.files.set('log/ftp/2026-11-20.log', fileOf(entries))
      const later: number[] = []
      for (let poll = 0; poll < 60; poll++) later.push(...(await tail.poll()).map(one => one.sequence))
      expect(later).toEqual([3])
      expect(changes).toEqual([true, false])
      expect(await lastLoggedHost(join(directory, 'log'))).toBe('ftp')
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
