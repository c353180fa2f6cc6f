import { describe, expect, it } from 'vitest'
import { judgePatterns, renderReport, resultOf, type PatternsReport } from '../../scripts/laboratory/pattern-report.ts'
import type { FunctionRun, PatternRun } from '../../scripts/laboratory/pattern-run.ts'
import { PATTERNS, type Pattern } from '../../scripts/laboratory/patterns.ts'
import { missingIn } from '../../scripts/laboratory/ring-view.ts'
import type { Lab } from '../../scripts/laboratory/lab.ts'
import { DEFAULT_HOSTS, planHosts } from '../../scripts/laboratory/hosts.ts'

const given = (name: string, cut_ms: number, queued = 0): FunctionRun => ({ name, cuts_ms: [cut_ms], later_ms: [200], givers: ['web2'], queued })

function run(functions: readonly FunctionRun[], more: Partial<PatternRun> = {}): PatternRun {
  return {
    failures: functions.map(({ name }) => ({ host: name, at: '2026-11-20T12:00:00.000Z' })), functions, resumes: { web2: functions.length }, incidents: functions.length,
    violations: [], home_ms: 12_000, samples: 240, longest_gap_ms: 60, ...more,
  }
}

const result = (name: string, ...runs: PatternRun[]) => resultOf(name, PATTERNS[name] as Pattern, runs)
const judge = (...results: ReturnType<typeof result>[]) => judgePatterns(results, DEFAULT_HOSTS, 1_000)

describe('the failure patterns', () => {
  it('name hosts of a ring of six, each once', () => {
    const hosts = (name: string) => PATTERNS[name]?.hosts?.(DEFAULT_HOSTS)
    expect(hosts('single')).toEqual(['ftp'])
    expect(hosts('two-apart')).toEqual(['ftp', 'web1'])
    expect(hosts('adjacent-three')).toEqual(['login', 'ftp', 'proxy'])
    expect(hosts('every-second')).toEqual(['login', 'proxy', 'web2'])
    expect(hosts('half')).toEqual(['mail', 'login', 'ftp'])
    expect(hosts('all-but-one')).toEqual(['mail', 'login', 'ftp', 'proxy', 'web1'])
  })

  it.each([2, 3, 4, 5, 12])('leave a survivor in a ring of %i, where they are played at all', size => {
    const ring = Array.from({ length: size }, (_, index) => `web${index + 1}`)
    for (const [name, pattern] of Object.entries(PATTERNS).filter(([, each]) => each.least <= size)) {
      const hosts = pattern.hosts?.(ring) ?? []
      expect(new Set(hosts).size, name).toBe(hosts.length)
      expect(hosts.length, name).toBeLessThan(size)
    }
  })
})

describe('the verdict', () => {
  const single = result('single', run([given('ftp', 3_700)]), run([given('ftp', 3_900)]), run([given('ftp', 3_800)]))

  it('compares with the single failure, half a second allowed for each resume that went before', () => {
    const queued = result('adjacent-two', run([given('proxy', 4_000), given('web1', 5_300, 1)]))
    expect(single.median_ms).toBe(3_800)
    expect(queued.unqueued_median_ms).toBe(4_000)
    expect(judge(single, queued).ok).toBe(true)
    expect(judge(single, result('half', run([given('mail', 5_600, 1), given('login', 5_600), given('ftp', 5_700)]))).ok).toBe(false)
  })

  it('looks at the target alone where P1 dies with it, and gives P2 one slot', () => {
    expect(judge(single, result('p1-and-target', run([given('ftp', 4_800), given('login', 9_000)]))).ok).toBe(true)
    expect(judge(single, result('p1-and-target', run([given('ftp', 4_900), given('login', 3_000)]))).ok).toBe(false)
  })

  it('is spoilt by a run that failed and by a violation, whatever the times', () => {
    expect(judge(result('single', run([given('ftp', 3_700)], { error: 'not home' }))).ok).toBe(false)
    expect(judge(result('single', run([given('ftp', 3_700)], { violations: [{ rule: 'S1', subject: 'ftp', text: 'two givers' }], error: 'two givers' }))).ok).toBe(false)
  })

  it('says what it could not judge', () => {
    const verdict = judge(result('half', run([given('mail', 4_000)])))
    expect(verdict).toMatchObject({ ok: true, clauses: [{ ok: true }, { ok: true }, { ok: null, text: expect.stringContaining('"single" was not run') }] })
    const report: PatternsReport = { schema: 'ringward.patterns/1', at: '', hosts: DEFAULT_HOSTS, interval: '1s', standby: 'saved', every_ms: 100, took_ms: 60_000, patterns: [], verdict }
    expect(renderReport(report)).toContain('VERDICT as promised as far as it was judged')
  })
})

it('a ring is whole only when every host is in it with its targets and gives its own function', () => {
  const hosts = planHosts(['mail', 'login'])
  const host = (name: string) => ({ name, state: 'in ring' as const, age_ms: 0, lease: { age_ms: 0, deadline_ms: 2_000, good: true }, targets: [{ name: 'x', priority: 1 as const, mode: 'regular' as const }] })
  const own = (name: string) => ({ name, vip: '', giver: name, kind: 'native' as const, epoch: 1, since: null })
  const status = { verdict: 'ok' as const, reason: '', hosts: [host('mail'), host('login')], functions: [own('mail'), own('login')], incidents_open: [] }
  const missing = (change: object) => missingIn({ hosts } as unknown as Lab, { ...status, ...change } as never)
  expect(missing({})).toEqual([])
  expect(missing({ hosts: [host('mail'), { ...host('login'), state: 'separated' }] })).toEqual(['login is separated'])
  expect(missing({ hosts: [host('mail'), { ...host('login'), targets: [] }] })).toEqual(['login has 0 targets instead of 1'])
  expect(missing({ functions: [own('mail'), { ...own('login'), giver: 'mail', kind: 'virtual' }] })).toEqual(['login is given by mail (virtual)'])
  expect(missingIn({ hosts } as unknown as Lab, undefined)).toEqual(['no host of the ring answers'])
})
