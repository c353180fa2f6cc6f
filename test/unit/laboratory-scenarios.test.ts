import { describe, expect, it } from 'vitest'
import type { Cut } from '../../scripts/laboratory/client.ts'
import { parseScenario, readScenario, scenarioNames } from '../../scripts/laboratory/scenario-file.ts'
import { unexpectedIn, type ScenarioSeen } from '../../scripts/laboratory/scenario-judge.ts'
import { failedOutcome, renderScenarios, reportScenarios, type ScenarioOutcome } from '../../scripts/laboratory/scenario-report.ts'
import type { Memory } from '../../scripts/laboratory/process-memory.ts'

const scenario = parseScenario('x', JSON.stringify({
  title: 'ftp loses its power', hosts: ['mail', 'ftp'], steps: [{ fault: 'power-off ftp' }, { until_given: { ftp: 'virtual@mail' }, within: '20s' }, { wait: '500ms' }, { ringward: 'mail status', exit: 5 }],
  expect: { claims: { ftp: 'virtual@mail native@ftp' }, cuts: { ftp: '10s' }, boots: { ftp: 1 }, log: ['^Claim_ftp_'], never_log: ['Claim_mail_'] },
}))
const entry = (text: string): ScenarioSeen['log'][number] => ({ time: '2026-11-20T12:00:00.000Z', host: 'mail', sequence: 1, level: 'info', incident: null, text }) as never
const cut = (ms: number, end: string | null = '2026-11-20T12:00:05.000Z'): Cut => ({ start: '2026-11-20T12:00:00.000Z', end, ms, reason: 'no answer in time' })
const seen = (change: Partial<ScenarioSeen> = {}): ScenarioSeen => ({
  claims: new Map([['ftp', 'virtual@mail native@ftp'], ['mail', '']]), cuts: new Map([['ftp', [cut(5_000)]]]), boots: new Map([['ftp', 1], ['mail', 0]]), log: [entry('Claim_ftp_epoch_2_(silence)')], violations: [], ...change,
})

describe('a run is compared with what its scenario states', () => {
  it('is as stated', () => {
    expect(unexpectedIn(scenario, seen())).toEqual([])
  })

  it.each<[string, Partial<ScenarioSeen>, string]>([
    ['another giver', { claims: new Map([['ftp', 'virtual@login native@ftp']]) }, 'claims of ftp: virtual@login native@ftp; expected virtual@mail native@ftp'],
    ['one claim more', { claims: new Map([['ftp', 'virtual@mail native@ftp virtual@mail']]) }, 'claims of ftp: virtual@mail native@ftp virtual@mail; expected virtual@mail native@ftp'],
    ['no claim', { claims: new Map() }, 'claims of ftp: none; expected virtual@mail native@ftp'],
    ['a claim of whom nothing was said', { claims: new Map([['ftp', 'virtual@mail native@ftp'], ['mail', 'virtual@ftp']]) }, 'claims of mail: virtual@ftp; expected none'],
    ['a cut that is too long', { cuts: new Map([['ftp', [cut(10_001)]]]) }, 'expected at most 10000 ms'],
    ['a cut without an end', { cuts: new Map([['ftp', [cut(10, null)]]]) }, 'to the end'],
    ['a cut of whom nothing was said', { cuts: new Map([['mail', [cut(300)]]]) }, 'expected no cut'],
    ['a boot that was not due', { boots: new Map([['ftp', 1], ['mail', 1]]) }, 'mail booted 1 times; expected 0'],
    ['a line that is missing', { log: [] }, 'no log says ^Claim_ftp_'],
    ['a line that must not be', { log: [entry('Claim_ftp_epoch_2'), entry('Claim_mail_epoch_2')] }, 'the log of mail says what it must not: Claim_mail_epoch_2'],
    ['a broken invariant', { violations: [{ rule: 'S1', subject: 'ftp', text: 'two givers' }] }, 'S1 ftp: two givers'],
  ])('%s', (_what, change, words) => {
    expect(unexpectedIn(scenario, seen(change))).toEqual([expect.stringContaining(words)])
  })
})

describe('what only some scenarios expect', () => {
  const expecting = (expect: object) => parseScenario('x', JSON.stringify({ title: '', hosts: ['mail', 'ftp'], steps: [{ wait: '1s' }, { remember_memory: true }], expect }))
  const quiet = { claims: new Map(), cuts: new Map(), boots: new Map() }
  const of = (host: string, text: string): ScenarioSeen['log'][number] => ({ ...entry(text), host })
  const memory = (agent: number[]): Memory => new Map([['mail', { agent, guard: [50_000], watchdog: [], 'share-helper': [40_000, 40_000], executer: [60_000] }]])

  it('lines in an order, in one host\'s log', () => {
    const ordered = expecting({ in_order: ['^Nominated_.*_login', '^Nominated_.*_mail'] })
    const [login, mail] = ['Nominated_by_web1_for_login', 'Nominated_by_web1_for_mail']
    expect(unexpectedIn(ordered, seen({ ...quiet, log: [of('web1', login), of('web1', 'other'), of('web1', mail)] }))).toEqual([])
    expect(unexpectedIn(ordered, seen({ ...quiet, log: [of('web1', mail), of('web1', login)] }))).toEqual([expect.stringContaining('in this order')])
    expect(unexpectedIn(ordered, seen({ ...quiet, log: [of('web1', login), of('ftp', mail)] }))).toEqual([expect.stringContaining('in this order')])
  })

  it('memory that does not grow, and no process more', () => {
    const bounded = expecting({ growth_percent: 20 })
    expect(unexpectedIn(bounded, seen({ ...quiet, memory: [memory([100_000]), memory([120_000])] }))).toEqual([])
    expect(unexpectedIn(bounded, seen({ ...quiet, memory: [memory([100_000]), memory([120_001])] }))).toEqual(['the agent of mail grew from 100000 to 120001 kB; expected at most 20 % more'])
    expect(unexpectedIn(bounded, seen({ ...quiet, memory: [memory([100_000]), memory([100_000, 90_000])] }))).toEqual(['mail has 2 processes of the agent instead of 1'])
  })

  it('whole logs on the shared area', () => {
    expect(unexpectedIn(expecting({ whole_logs: true }), seen({ ...quiet, logs_behind: ['ftp'] }))).toEqual([expect.stringContaining('the log of ftp on the shared area')])
  })
})

describe('the report of many runs', () => {
  const about = { at: '2026-11-20T12:00:00.000Z', hosts: ['mail', 'ftp'], interval: '1s', every_ms: 200, took_ms: 90_000 }
  const good = (...ms: number[]): ScenarioOutcome => ({ as_stated: true, unexpected: [], claims: {}, cuts: ms.length === 0 ? {} : { ftp: ms.map(each => cut(each)) }, home_ms: 12_000, longest_gap_ms: 80 })

  it('counts the runs and finds the worst cut of each scenario', () => {
    const report = reportScenarios([{ name: 'power-cut', title: '', outcomes: [good(3_900), good(4_100, 200)] }, { name: 'switch-off', title: '', outcomes: [good()] }], about)
    expect(report.ok).toBe(true)
    expect(report.scenarios.map(({ name, runs, as_stated, worst_cut_ms }) => [name, runs, as_stated, worst_cut_ms])).toEqual([['power-cut', 2, 2, 4_100], ['switch-off', 1, 1, 0]])
    expect(renderScenarios(report)).toBe([
      'scenario    as stated  worst cut  longest  longest gap', 'power-cut   2 of 2     4.1 s      12.0 s   80 ms', 'switch-off  1 of 1     none       12.0 s   80 ms', '', '3 of 3 runs as stated, in 1.5 minutes',
    ].join('\n'))
  })

  it('tells at the end what went otherwise, also of a run that was never played', () => {
    const report = reportScenarios([{ name: 'freeze', title: '', outcomes: [good(), failedOutcome('the ring is not whole')] }], about)
    expect(report.ok).toBe(false)
    expect(renderScenarios(report).split('\n').slice(1)).toEqual(['freeze    1 of 2     none       12.0 s   80 ms', '', 'freeze 2:', '  ! the ring is not whole', '1 of 2 runs as stated, in 1.5 minutes'])
  })
})

describe('scenario files', () => {
  it.each([
    [{ steps: [{ fault: 'explode ftp' }] }, 'no such fault'],
    [{ steps: [{ wait: 'soon' }] }, 'steps.0'],
    [{ steps: [] }, 'steps'],
    [{ expect: { claims: { ftp: '(' } } }, 'expect.claims.ftp'],
    [{ expect: { growth_percent: 20 } }, 'no step "remember_memory"'],
    [{ expect: { claims: { web9: 'native@web9' } } }, 'expects something of web9'],
  ])('are refused with the place: %j', (change, words) => {
    const good = { title: '', hosts: ['mail', 'ftp'], steps: [{ wait: '1s' }], expect: {} }
    expect(() => parseScenario('x', JSON.stringify(good))).not.toThrow()
    expect(() => parseScenario('x', JSON.stringify({ ...good, ...change }))).toThrow(words)
  })

  it('of the project are all valid', async () => {
    const names = await scenarioNames()
    expect(names).toContain('split-share-both-sides')
    for (const name of names) await expect(readScenario(name), name).resolves.toBeDefined()
  })
})
