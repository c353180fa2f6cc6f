import { describe, expect, it } from 'vitest'
import type { CliContext } from '../../../src/cli/context.ts'
import { runCli } from '../../../src/cli/program.ts'
import { plain } from '../../../src/cli/render/style.ts'
import { SystemClock } from '../../../src/edges/clock.ts'

function cli(outcome: 'done' | 'failed' = 'done') {
  const asked: { verb: string; args: unknown; limit_ms: number }[] = []
  let out = ''
  let error = ''
  const context: CliContext = {
    out: text => { out += text }, error: text => { error += text }, terminal: false, style: plain, clock: new SystemClock(), signal: new AbortController().signal, setExit: () => undefined,
    ask: (verb, args, limit_ms) => {
      asked.push({ verb, args, limit_ms })
      return Promise.resolve({ schema: 'ringward.action/1', at: '2026-11-21T00:00:00.000Z', verb, dry_run: false, steps: [{ host: 'ftp', act: 'what it gives goes to other hosts', outcome }] })
    },
    openShare: () => Promise.reject(new Error('not asked for')),
  }
  return { asked, run: (...args: string[]) => runCli(args, context), out: () => out, error: () => error }
}

describe('maintenance and hold', () => {
  it('ask the agent, with the time as milliseconds', async () => {
    const { asked, run, out } = cli()
    expect(await run('maintenance', 'on', 'ftp', '--for', '1h', '--wait', '60')).toBe(0)
    expect(asked).toMatchObject([{ verb: 'maintenance', args: { host: 'ftp', on: true, for_ms: 3_600_000, wait_ms: 60_000, dry_run: false } }])
    expect(asked[0]!.limit_ms).toBeGreaterThan(60_000)
    expect(out()).toContain('done')
    await run('hold', 'off', '--dry-run')
    expect(asked[1]).toMatchObject({ verb: 'hold', args: { on: false, dry_run: true } })
  })

  it('end with 1 when the host was not empty in time, and with 2 for a wrong word or time', async () => {
    expect(await cli('failed').run('maintenance', 'on', 'ftp', '--wait', '1')).toBe(1)
    expect(await cli().run('maintenance', 'maybe', 'ftp')).toBe(2)
    const wrong = cli()
    expect(await wrong.run('hold', 'on', '--for', 'soon')).toBe(2)
    expect(wrong.error()).toContain('1h')
  })
})
