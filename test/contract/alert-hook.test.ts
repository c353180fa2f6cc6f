/** The operator's own program, told of alerts: real processes. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AlertDocument } from '../../src/control/documents.ts'
import { AlertHook } from '../../src/edges/alert-hook/alert-hook.ts'

const LIMIT_MS = 30_000
const ALERT: AlertDocument = {
  schema: 'ringward.alert/1', at: '2026-11-20T12:00:05.000Z', host: 'mail', state: 'raised', code: 'TOO_FEW_WATCHERS', subject: 'ftp',
  reason: 'only login watches it, and 2 hosts should', next_step: 'bring the missing hosts back', since: '2026-11-20T12:00:00.000Z',
}

describe('the alert command', () => {
  let directory: string
  let problems: string[]
  let hook: AlertHook

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ringward-alert-'))
    // It runs as nobody.
    await chmod(directory, 0o777)
    problems = []
  })
  afterEach(async () => {
    await hook.stop()
    await rm(directory, { recursive: true })
  })

  async function program(script: string, options: { args?: readonly string[]; limit_ms?: number } = {}): Promise<void> {
    const path = join(directory, 'tell')
    await writeFile(path, `#!/bin/sh\ncd ${directory}\n${script}\n`)
    await chmod(path, 0o755)
    hook = new AlertHook({ command: [path, ...options.args ?? []], onProblem: text => problems.push(text), ...options.limit_ms === undefined ? {} : { limit_ms: options.limit_ms } })
  }
  const content = (file: string): Promise<string> => readFile(join(directory, file), 'utf8').catch(() => '')
  const until = (holds: () => Promise<boolean> | boolean): Promise<void> => expect.poll(holds, { timeout: LIMIT_MS }).toBe(true)

  it('reads one JSON object on its standard input, with its arguments as they stand in the configuration', async () => {
    await program('cat > input; printf "%s|" "$@" > arguments; : > done', { args: ['--to', 'a $(b) "c"; d'] })
    hook.tell(ALERT)
    await until(async () => (await content('arguments')) !== '')
    expect(JSON.parse(await content('input'))).toEqual(ALERT)
    expect(await content('arguments')).toBe('--to|a $(b) "c"; d|')
    expect(problems).toEqual([])
  })

  it.runIf(process.getuid?.() === 0)('runs as nobody, in no group of the agent, before nobody else', async () => {
    await program('cat > /dev/null; id -u > who; id -G >> who; nice >> who; cat /proc/self/oom_score_adj >> who; : > done')
    hook.tell(ALERT)
    await until(async () => (await content('who')).trim().split('\n').length === 4)
    expect((await content('who')).trim().split('\n').slice(0, 3)).toEqual(['65534', '65534', '0'])
  })

  it('is started one at a time, in order', async () => {
    await program('sed "s/.*\\"subject\\":\\"\\([a-z0-9]*\\)\\".*/begin \\1/" >> order; sleep 0.2; echo end >> order')
    for (const subject of ['ftp', 'web1', 'web2']) hook.tell({ ...ALERT, subject })
    await until(async () => (await content('order')).trim().split('\n').length === 6)
    expect((await content('order')).trim().split('\n')).toEqual(['begin ftp', 'end', 'begin web1', 'end', 'begin web2', 'end'])
  })

  it('is killed with all it started when it takes too long, and the next alert has its turn', async () => {
    await program('grep -q ftp && { sleep 600 & echo $! > child; wait; }; echo told > next', { limit_ms: 500 })
    hook.tell(ALERT)
    hook.tell({ ...ALERT, subject: 'web1' })
    await until(async () => (await content('next')) === 'told\n')
    expect(problems).toEqual([expect.stringMatching(/^the alert command failed for TOO_FEW_WATCHERS ftp: .* did not end within 500 ms$/)])
    const child = Number(await content('child'))
    await until(async () => !(await readFile(`/proc/${child}/stat`, 'utf8').catch(() => '')).includes(') S '))
  })

  it('that fails is a problem with its own words, and is not asked again', async () => {
    await program('cat > /dev/null; echo asked >> times; echo "no route to the mail server" >&2; exit 3')
    hook.tell(ALERT)
    await until(() => problems.length === 1)
    expect(problems[0]).toMatch(/ended with 3: no route to the mail server$/)
    expect(await content('times')).toBe('asked\n')
  })

  it('that does not exist says so, and what to correct', async () => {
    hook = new AlertHook({ command: [join(directory, 'nothing')], onProblem: text => problems.push(text) })
    hook.tell(ALERT)
    await until(() => problems.length === 1)
    expect(problems[0]).toContain('does not exist; correct alert_command in host.toml')
  })

  it('may leave its input unread', async () => {
    await program('exec 0<&-; echo told > done')
    for (let count = 0; count < 3; count += 1) hook.tell({ ...ALERT, reason: 'x'.repeat(200_000) })
    await until(async () => (await content('done')) === 'told\n')
    expect(problems).toEqual([])
  })

  it('has a queue of 32; the rest is told as a problem', async () => {
    await program('cat > /dev/null; sleep 600')
    for (let count = 0; count < 34; count += 1) hook.tell(ALERT)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain('32 alerts wait already')
  })
})
