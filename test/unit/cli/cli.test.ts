import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CliContext } from '../../../src/cli/context.ts'
import { buildProgram, runCli } from '../../../src/cli/program.ts'
import { plain } from '../../../src/cli/render/style.ts'
import { parseSince } from '../../../src/cli/since.ts'
import { formatLogLine } from '../../../src/edges/log/log-line.ts'
import { MemoryShareWorld } from '../../../src/edges/share/memory-share.ts'
import { RingwardError } from '../../../src/errors.ts'
import { SetClock } from '../log/set-clock.ts'
import { DEGRADED, INCIDENTS, LOAD, OK, RING } from './samples.ts'

let root: string
let out: string
let error: string
let asked: { verb: string; args: unknown }[]
let answers: Record<string, unknown>
let world: MemoryShareWorld
let interrupted: AbortController

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ringward-cli-'))
  for (const name of ['ETC', 'VAR', 'LOG', 'RUN']) vi.stubEnv(`RINGWARD_${name}`, join(root, name.toLowerCase()))
  out = ''
  error = ''
  asked = []
  answers = { status: OK, ring: RING, load: LOAD, incidents: INCIDENTS }
  world = new MemoryShareWorld()
  interrupted = new AbortController()
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true, force: true })
})

function context(): CliContext {
  return {
    out: text => { out += text }, error: text => { error += text }, terminal: false, style: plain, clock: new SetClock('2026-11-20T22:00:00.000Z'),
    signal: interrupted.signal, setExit: () => undefined,
    ask: (verb, args) => {
      asked.push({ verb, args })
      const answer = answers[verb]
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
    openShare: () => Promise.resolve({ host: 'ftp', share: world.connect() }),
  }
}

const run = (...args: string[]) => runCli(args, context())

describe('queries', () => {
  it('status: 0 when ok, 5 when not, as text and as the document itself', async () => {
    expect(await run('status')).toBe(0)
    expect(out).toContain('OK  all functions are given by their own hosts')
    out = ''
    answers.status = DEGRADED
    expect(await run('status', '--json')).toBe(5)
    expect(JSON.parse(out)).toEqual(DEGRADED)
  })

  it('asks another host through this one', async () => {
    expect(await run('ring', '--host', 'ftp')).toBe(0)
    expect(asked).toEqual([{ verb: 'ring', args: { host: 'ftp' } }])
  })

  it('watches until Ctrl-C, through a restart of the agent', async () => {
    setTimeout(() => { answers.load = new RingwardError('NOT_RUNNING', 'ringward is not running on this host') }, 250)
    setTimeout(() => { answers.load = LOAD }, 700)
    setTimeout(() => interrupted.abort(), 1_200)
    expect(await run('load', '--watch', '0.2', '--json')).toBe(0)
    const lines = out.trimEnd().split('\n')
    expect(lines.length).toBeGreaterThanOrEqual(2)
    expect(lines.map(line => (JSON.parse(line) as { schema: string }).schema)).toEqual(lines.map(() => 'ringward.load/1'))
    expect(JSON.parse(error.split('\n')[0] ?? '')).toMatchObject({ schema: 'ringward.error/1', code: 'NOT_RUNNING' })
  })

  it('repaints a terminal and shows there that the agent is away', async () => {
    setTimeout(() => { answers.ring = new RingwardError('NOT_RUNNING', 'ringward is not running on this host') }, 100)
    setTimeout(() => interrupted.abort(), 500)
    expect(await runCli(['ring', '--watch', '0.2'], { ...context(), terminal: true })).toBe(3)
    const clear = `${String.fromCharCode(27)}[H${String.fromCharCode(27)}[2J`
    expect(out.startsWith(`${clear}ring of 3`)).toBe(true)
    expect(out.split(clear).at(-1)).toBe('ringward is not running on this host\n')
    expect(error).toBe('')
  })

  it('incidents: list, number, id, and none such', async () => {
    expect(await run('incidents')).toBe(0)
    expect(await run('incidents', '2')).toBe(0)
    expect(out).toContain('20261119T100000000Z-mail-web2  repaired')
    out = ''
    expect(await run('incidents', '20261120T210348000Z-ftp-login', '--json')).toBe(0)
    expect((JSON.parse(out) as typeof INCIDENTS).incidents.map(incident => incident.target)).toEqual(['ftp'])
    expect(await run('incidents', '3')).toBe(2)
    expect(error).toContain('there is no incident 3')
  })

  it('refuses a document it does not know', async () => {
    answers.status = { schema: 'ringward.status/2' }
    expect(await run('status')).toBe(3)
    expect(error).toContain('different versions')
  })
})

describe('errors', () => {
  it.each([
    ['NOT_RUNNING', 3], ['CONTROL_UNREACHABLE', 3], ['CONTROL_REFUSED', 4], ['PERMISSION', 4], ['CONTROL_TIMEOUT', 124], ['INTERNAL', 1],
  ] as const)('%s ends with %i', async (code, exit) => {
    answers.status = new RingwardError(code, 'a sentence')
    expect(await run('status')).toBe(exit)
    expect(error).toBe('ringward: a sentence\n')
    error = ''
    expect(await run('status', '--json')).toBe(exit)
    expect(JSON.parse(error)).toEqual({ schema: 'ringward.error/1', code, message: 'a sentence' })
    expect(out).toBe('')
  })

  it.each([['stauts'], ['status', '--jason'], ['status', 'extra'], ['flag'], ['flag', 'maybe'], ['flag', 'on', 'ftp', '--all'], ['status', '--watch', 'x'], ['log', '--since', 'soon'], []])('usage: %s %s', async (...args) => {
    expect(await run(...args)).toBe(2)
    expect(error).not.toBe('')
    expect(asked).toEqual([])
  })

  it('tells usage errors as JSON too, once', async () => {
    expect(await run('status', '--json', '--wach')).toBe(2)
    expect(error.trimEnd().split('\n').length).toBe(1)
    expect(JSON.parse(error)).toMatchObject({ code: 'USAGE' })
  })

  it('every command documents its exit codes', () => {
    for (const command of buildProgram(context()).commands) {
      let help = ''
      command.configureOutput({ writeOut: text => { help += text } }).outputHelp()
      expect(help, command.name()).toMatch(/Exit codes:\n +0 {2}/)
    }
  })

  it('help and version are no errors', async () => {
    expect(await run('--help')).toBe(0)
    expect(await run('status', '--help')).toBe(0)
    expect(out).toContain('the verdict is degraded or critical')
    out = ''
    expect(await run('publish', '--help')).toBe(0)
    expect(out).toMatch(/default: the one this\s+command runs from/)
    expect(out).not.toContain(import.meta.dirname.replace(/test.*/, ''))
    out = ''
    expect(await run('version', '--json')).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ schema: 'ringward.version/1' })
  })
})

describe('flag', () => {
  const flag = () => join(root, 'var', 'flag')

  it('sets and takes away the flag of this host, and can be repeated', async () => {
    expect(await run('flag', 'on', '--dry-run')).toBe(0)
    expect(existsSync(flag())).toBe(false)
    expect(await run('flag', 'on')).toBe(0)
    expect(existsSync(flag())).toBe(true)
    expect(await run('flag', 'on')).toBe(0)
    expect(await run('flag', 'off')).toBe(0)
    expect(existsSync(flag())).toBe(false)
    expect(await run('flag', 'off')).toBe(0)
    expect(out.split('\n').map(line => line.split(' ')[0])).toEqual(['planned', 'done', 'unchanged', 'done', 'unchanged', ''])
    expect(asked).toEqual([])
  })

  it('waits for management to run or to have ended', async () => {
    answers.status = new RingwardError('NOT_RUNNING', 'not yet')
    setTimeout(() => { answers.status = OK }, 150)
    expect(await run('flag', 'on', '--wait')).toBe(0)
    answers.status = new RingwardError('NOT_RUNNING', 'gone')
    expect(await run('flag', 'off', '--wait', '5')).toBe(0)
    expect(await run('flag', 'on', '--wait', '0')).toBe(124)
    expect(error).toContain('management does not run')
  })

  it('has the agent switch other hosts', async () => {
    answers.flag = { schema: 'ringward.action/1', at: '', verb: 'flag off', dry_run: true, steps: [{ host: 'ftp', act: 'take away the flag', outcome: 'failed', reason: 'no route' }] }
    expect(await run('flag', 'off', 'ftp', 'web1', '--dry-run')).toBe(1)
    expect(await run('flag', 'on', '--all', '--wait', '9')).toBe(1)
    expect(asked).toEqual([
      { verb: 'flag', args: { on: false, hosts: ['ftp', 'web1'], all: false, dry_run: true, wait_ms: 0 } },
      { verb: 'flag', args: { on: true, hosts: [], all: true, dry_run: false, wait_ms: 9_000 } },
    ])
    expect(existsSync(flag())).toBe(false)
  })
})

describe('log', () => {
  const line = (host: string, time: string, text: string, incident: string | null = null) => `${formatLogLine({ time: `2026-11-20T${time}.000Z`, host, sequence: 1, level: 'info', incident, text })}\n`
  const ID = '20261120T210348000Z-ftp-login'

  beforeEach(() => {
    world.files.set('log/ftp/2026-11-20.log', Buffer.from(line('ftp', '21:00:00', 'ftp early') + line('ftp', '21:59:00', 'ftp late', ID)))
    world.files.set('log/mail/2026-11-20.log', Buffer.from(line('mail', '21:30:00', 'mail', ID)))
    world.files.set(`incidents/${ID}.jsonl`, Buffer.from(`${JSON.stringify({ at: '2026-11-20T21:03:48.000Z', host: 'login', stage: 'detected', target: 'ftp' })}\n`))
  })

  it('is one log of all hosts; by time, host and incident', async () => {
    expect(await run('log')).toBe(0)
    expect(out).toBe(line('ftp', '21:00:00', 'ftp early') + line('mail', '21:30:00', 'mail', ID) + line('ftp', '21:59:00', 'ftp late', ID))
    out = ''
    await run('log', '--since', '45m', '--json')
    expect(out.trimEnd().split('\n').map(text => JSON.parse(text) as unknown)).toMatchObject([{ schema: 'ringward.log/1', host: 'mail', sequence: 1, level: 'info', incident: ID, text: 'mail' }, { host: 'ftp' }])
    out = ''
    await run('log', '--host', 'ftp', '--incident', ID)
    expect(out).toBe(line('ftp', '21:59:00', 'ftp late', ID))
    out = ''
    await run('log', '--incident', '1', '--since', '21:45')
    expect(out).toBe(line('ftp', '21:59:00', 'ftp late', ID))
    expect(await run('log', '--incident', '2')).toBe(2)
    expect(error).toContain('there is no incident 2')
  })

  it('follows', async () => {
    setTimeout(() => { world.files.set('log/mail/2026-11-20.log', Buffer.concat([world.files.get('log/mail/2026-11-20.log')!, Buffer.from(line('mail', '22:00:01', 'new'))])) }, 100)
    setTimeout(() => interrupted.abort(), 1_200)
    expect(await run('log', '-f')).toBe(0)
    expect(out).toBe(line('ftp', '21:59:00', 'ftp late', ID) + line('mail', '22:00:01', 'new'))
  })

  it('shows this host\'s own log while the share is silent, and says so', async () => {
    world.mood = 'hang'
    const { mkdirSync } = await import('node:fs')
    mkdirSync(join(root, 'log'))
    writeFileSync(join(root, 'log', '2026-11-20.log'), line('ftp', '21:00:00', 'local'))
    expect(await run('log')).toBe(0)
    expect(out).toBe(line('ftp', '21:00:00', 'local'))
    expect(error).toContain('only the log of this host: the shared area did not answer')
  })
})

describe('configuration commands', () => {
  it('init, then check finds what is still to be written, with file and line', async () => {
    expect(await run('init', join(root, 'share'), '--keys', join(root, 'keys'))).toBe(0)
    expect(await run('init', join(root, 'share'), '--keys', join(root, 'keys'), '--json')).toBe(0)
    writeFileSync(join(root, 'share', 'group.toml'), 'servers = ["nobody"]\nspeed = 1\n')
    out = ''
    expect(await run('check', join(root, 'share'))).toBe(1)
    expect(out).toMatch(/^group\.toml:1:\d+: /m)
    expect(out).toMatch(/^group\.toml:2:\d+: /m)
    out = ''
    expect(await run('check', join(root, 'share'), '--json')).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ schema: 'ringward.check/1', ok: false })
    expect(await run('publish', join(root, 'share'), '--program', root)).toBe(1)
    expect(await run('join')).toBe(1)
    expect(error).toContain('host.toml')
  })

  it('forget: 4 for a host that is in the ring, 3 where no agent can say who is', async () => {
    expect(await run('forget', 'web1')).toBe(4)
    expect(error).toContain('run "ringward flag off web1 --wait" first')
    answers.ring = new RingwardError('NOT_RUNNING', 'ringward is not running on this host')
    expect(await run('forget', 'ftp')).toBe(3)
  })
})

describe('since', () => {
  const now = new Date('2026-11-20T22:00:00.000Z')
  it.each([
    ['10m', '2026-11-20T21:50:00.000Z'], ['1.5h', '2026-11-20T20:30:00.000Z'], ['2d', '2026-11-18T22:00:00.000Z'], ['21:03', '2026-11-20T21:03:00.000Z'],
    ['21:03:48.5', '2026-11-20T21:03:48.500Z'], ['2026-11-19', '2026-11-19T00:00:00.000Z'], ['2026-11-19 12:00', '2026-11-19T12:00:00.000Z'], ['2026-11-20T22:03:48+09:00', '2026-11-20T13:03:48.000Z'],
  ])('%s', (text, stamp) => expect(parseSince(text, now)).toBe(stamp))
  it.each(['', 'soon', '25:00', '2026-13-01', '10', '-5m', '99999999d'])('refuses "%s"', text => expect(() => parseSince(text, now)).toThrow('is no time'))
})
