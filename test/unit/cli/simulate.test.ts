import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CliContext } from '../../../src/cli/context.ts'
import { runCli } from '../../../src/cli/program.ts'
import { plain } from '../../../src/cli/render/style.ts'
import { SetClock } from '../log/set-clock.ts'

let out: string
let error: string
let folder: string
let interrupted: AbortController

beforeEach(() => {
  out = ''
  error = ''
  folder = mkdtempSync(join(tmpdir(), 'ringward-replay-'))
  interrupted = new AbortController()
})
afterEach(() => rmSync(folder, { recursive: true }))

const context = (): CliContext => ({
  out: text => { out += text }, error: text => { error += text }, terminal: false, style: plain, clock: new SetClock('2026-11-20T22:00:00.000Z'),
  signal: interrupted.signal, setExit: () => undefined,
  ask: () => Promise.reject(new Error('no agent is asked')),
  openShare: () => Promise.reject(new Error('no share is opened')),
})
const run = (...args: string[]): Promise<number> => runCli(args, context())
const SMALL = ['--hosts', '3', '--faults', '3-4']

describe('ringward simulate', () => {
  it('plays schedules and says what they were', async () => {
    expect(await run('simulate', '--schedules', '2', '--seed', '7', ...SMALL)).toBe(0)
    expect(out).toMatch(/^2 schedules, 0\.\d+ hours of virtual time, in /)
    expect(out).toContain('0 schedules with violations')
    expect(error).toBe('')
  })

  it('tells a document of its own, not that of the decision on the live ring', async () => {
    expect(await run('simulate', '--schedules', '1', ...SMALL, '--json')).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ schema: 'ringward.simulation/1', ok: true, schedules: 1, seed: 1, failures: [] })
  })

  it('ends with Ctrl-C after the schedule that is under way', async () => {
    const playing = run('simulate', '--schedules', '1000000', ...SMALL, '--json')
    interrupted.abort()
    expect(await playing).toBe(0)
    expect((JSON.parse(out) as { schedules: number }).schedules).toBeLessThanOrEqual(1)
  })

  it.each([['--faults', '2-4'], ['--hosts', '3-40'], ['--seed', '0'], ['--jobs', 'many'], ['--seconds', '0']])('refuses %s %s', async (option, value) => {
    expect(await run('simulate', option, value)).toBe(2)
    expect(error).toContain(option)
  })
})

describe('ringward replay', () => {
  it('goes the same way each time, and keeps what it played once', async () => {
    const file = join(folder, 'scenario.json')
    expect(await run('replay', 's17', '--write', file)).toBe(0)
    const first = out
    expect(first).toContain('no violation of S1-S7, L1, L2')
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ title: 'Seed 17 of the swarm schedules', plan: { seed: 17 } })
    out = ''
    expect(await run('replay', 's17', '--write', file)).toBe(2)
    expect(error).toContain('is there already')
    expect(out).toBe(first.slice(0, out.length))
  })

  it('keeps a number alone for past incidents', async () => {
    expect(await run('replay', '17')).toBe(2)
    expect(error).toContain('the schedule of that seed is s17')
    expect(await run('replay', 'ftp')).toBe(2)
  })
})
