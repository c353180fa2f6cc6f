import { describe, expect, it } from 'vitest'
import type { Cut } from '../../scripts/laboratory/client.ts'
import { parseScenario, readScenario, scenarioNames } from '../../scripts/laboratory/scenario-file.ts'
import { unexpectedIn, type ScenarioSeen } from '../../scripts/laboratory/scenario-judge.ts'

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

describe('scenario files', () => {
  it.each([
    [{ steps: [{ fault: 'explode ftp' }] }, 'no such fault'],
    [{ steps: [{ wait: 'soon' }] }, 'steps.0'],
    [{ steps: [] }, 'steps'],
    [{ expect: { claims: { ftp: '(' } } }, 'expect.claims.ftp'],
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
