import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SystemClock } from '../../../src/edges/clock.ts'
import { LogShipper } from '../../../src/edges/log/log-shipper.ts'
import { MemoryShareWorld } from '../../../src/edges/share/memory-share.ts'

let root: string
let world: MemoryShareWorld
let problems: string[]
let running: LogShipper[]

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ringward-ship-'))
  mkdirSync(join(root, 'log'))
  world = new MemoryShareWorld()
  problems = []
  running = []
})
afterEach(async () => {
  for (const shipper of running) await shipper.stop(100)
  rmSync(root, { recursive: true, force: true })
})

const path = () => join(root, 'log', '2026-11-20.log')
const shared = () => world.files.get('log/ftp/2026-11-20.log')?.toString()

function begin(): LogShipper {
  const shipper = new LogShipper({
    share: world.connect(), clock: new SystemClock(), state_file: join(root, 'state', 'shipped.json'), onProblem: text => problems.push(text),
    folders: [{ local: join(root, 'log'), share: 'log/ftp', suffix: '.log' }],
  })
  running.push(shipper)
  shipper.start()
  return shipper
}

const settled = (shipper: LogShipper) => vi.waitFor(() => expect(shipper.settled).toBe(true), { timeout: 10_000 })

describe('log shipper', () => {
  it('brings what is there and what comes', async () => {
    writeFileSync(path(), 'one\n')
    const shipper = begin()
    await vi.waitFor(() => expect(shared()).toBe('one\n'), { timeout: 10_000 })
    appendFileSync(path(), 'two\n')
    shipper.changed(path())
    await vi.waitFor(() => expect(shared()).toBe('one\ntwo\n'), { timeout: 10_000 })
  })

  it('catches up after the share was dead, in chunks, and says so once', async () => {
    world.mood = 'fail'
    const text = Array.from({ length: 20_000 }, (_, line) => `line ${line}\n`).join('')
    writeFileSync(path(), text)
    const shipper = begin()
    await vi.waitFor(() => expect(problems.length).toBe(1), { timeout: 10_000 })
    world.mood = 'answer'
    await vi.waitFor(() => expect(shared()).toBe(text), { timeout: 10_000 })
    // The last byte is there before the pass that brought it has ended and says so.
    await vi.waitFor(() => expect(problems.length).toBe(2), { timeout: 10_000 })
    await settled(shipper)
    expect(problems).toEqual(['logs wait on this host: the shared area fails, as set', 'logs reach the shared area again'])
  })

  it('goes on from where it was after a restart, without writing the old bytes again', async () => {
    writeFileSync(path(), 'one\n')
    const first = begin()
    await vi.waitFor(() => expect(shared()).toBe('one\n'), { timeout: 10_000 })
    await first.stop()
    expect(JSON.parse(readFileSync(join(root, 'state', 'shipped.json'), 'utf8'))).toEqual({ 'log/ftp/2026-11-20.log': 4 })
    world.files.set('log/ftp/2026-11-20.log', Buffer.from('ONE\n'))
    appendFileSync(path(), 'two\n')
    begin()
    await vi.waitFor(() => expect(shared()).toBe('ONE\ntwo\n'), { timeout: 10_000 })
  })

  it('begins anew where the shared copy was lost, and where the memory of it is broken', async () => {
    mkdirSync(join(root, 'state'))
    writeFileSync(path(), 'one\ntwo\n')
    for (const memory of ['{"log/ftp/2026-11-20.log": 4}', '{"log/ftp/2026-11-20.log": 99}', '{"log/ftp/2026-11-20.log": "x"}', 'torn']) {
      world.files.clear()
      writeFileSync(join(root, 'state', 'shipped.json'), memory)
      appendFileSync(path(), 'more\n')
      const shipper = begin()
      await vi.waitFor(() => expect(shared()).toBe(readFileSync(path(), 'utf8')), { timeout: 10_000 })
      await shipper.stop()
    }
  })

  it('brings the last lines when it is stopped, and gives up in time when the share hangs', async () => {
    const shipper = begin()
    await settled(shipper)
    writeFileSync(path(), 'last words\n')
    shipper.changed(path())
    await shipper.stop()
    expect(shared()).toBe('last words\n')
    world.mood = 'hang'
    const hung = begin()
    appendFileSync(path(), 'never\n')
    hung.changed(path())
    await hung.stop(50)
    expect(shared()).toBe('last words\n')
  })

  it('leaves foreign files alone', async () => {
    writeFileSync(join(root, 'log', '-rf.log'), 'x')
    writeFileSync(join(root, 'log', 'notes.txt'), 'x')
    const shipper = begin()
    await settled(shipper)
    expect([...world.files.keys()]).toEqual([])
    expect(existsSync(join(root, 'log', '-rf.log'))).toBe(true)
  })
})
