/** Replay, shrinking and the report of swarm schedules. */
import { describe, expect, it } from 'vitest'
import { PROFILES } from '../../src/core/profile.ts'
import { ModeCoverage } from '../../src/simulator/mode-coverage.ts'
import { replay } from '../../src/simulator/replay.ts'
import { runSwarm } from '../../src/simulator/schedule.ts'
import { brokenRule, shrink } from '../../src/simulator/shrink.ts'
import { drawSwarm, type SwarmPlan } from '../../src/simulator/swarm.ts'
import { playShare, SwarmReport, type Told } from '../../src/simulator/swarm-run.ts'

/** Against hanging only: several dozen schedules, on a machine with other work. */
const SHRINKING_LIMIT_MS = 300_000

describe('a plan', () => {
  it('is drawn from its seed alone', () => {
    expect(drawSwarm(7)).toEqual(drawSwarm(7))
    expect(drawSwarm(7)).not.toEqual(drawSwarm(8))
  })

  it('goes the same way twice, line for line', () => {
    const play = (): string[] => {
      const lines: string[] = []
      replay(drawSwarm(7), { shrink: false, reasons: true }, line => lines.push(line))
      return lines
    }
    const first = play()
    expect(first.length).toBeGreaterThan(100)
    expect(play()).toEqual(first)
  })

  it('tells one line for each change, and each change once', () => {
    const lines: string[] = []
    const { ok } = replay(drawSwarm(7), { shrink: false, reasons: false }, line => lines.push(line))
    expect(ok).toBe(true)
    const given = lines.filter(line => line.includes(' is given by ')).map(line => line.trim().split(/ +/).slice(1))
    const last = new Map<string, string>()
    for (const [name, ...rest] of given) {
      expect(rest.join(' ')).not.toBe(last.get(name!))
      last.set(name!, rest.join(' '))
    }
    expect([...last.values()].every(text => text === 'is given by itself')).toBe(true)
  })
})

describe('shrinking', () => {
  const plan = drawSwarm(12, { least: 5, most: 5 }, { least: 10, most: 10 })

  it('keeps what breaks the rule, and nothing else', () => {
    const [one, other] = [plan.faults[2]!.number, plan.faults[7]!.number]
    const rule_of = ({ faults }: SwarmPlan): string | undefined => [one, other].every(number => faults.some(fault => fault.number === number)) ? 'S1' : undefined
    const shrunk = shrink(plan, {}, rule_of)
    expect(shrunk?.plan.faults.map(({ number }) => number).sort()).toEqual([one, other].sort())
    expect(shrunk?.plan.faults.every(({ duration_ms }) => duration_ms === 500)).toBe(true)
    expect(shrunk?.runs).toBeLessThan(100)
  })

  it('has nothing to do where nothing is broken', () => {
    expect(shrink(plan, {}, () => undefined)).toBeUndefined()
  })

  it('makes a broken rule small: D_exp below D_gone', () => {
    const options = { profile: { ...PROFILES.default, expire_ms: 1_200 } }
    // Three hosts, because each of the many runs takes its time.
    const failing = Array.from({ length: 40 }, (_, seed) => drawSwarm(seed + 1, { least: 3, most: 3 }, { least: 8, most: 8 })).find(candidate => brokenRule(runSwarm(candidate, options)) === 'S6')
    const shrunk = shrink(failing!, options)
    expect(shrunk?.rule).toBe('S6')
    expect(shrunk!.plan.faults.length).toBeLessThan(failing!.faults.length / 2)
    expect(brokenRule(runSwarm(shrunk!.plan, options))).toBe('S6')
  }, SHRINKING_LIMIT_MS)
})

describe('the report', () => {
  it('says how fast, which kinds, and which pairs of mode and event', async () => {
    const wished = { schedules: 4, seed: 1, hosts: { least: 3, most: 4 }, faults: { least: 3, most: 5 }, jobs: 2 }
    const report = new SwarmReport()
    const tell = (told: Told): void => report.add(JSON.parse(JSON.stringify(told)) as Told)
    for (const share of [0, 1]) await playShare(wished, share, tell, () => false)
    const document = report.document(wished, 2)
    expect(document).toMatchObject({ schema: 'ringward.simulation/1', ok: true, schedules: 4, schedules_per_second: 2, failures: [] })
    expect(document.virtual_hours).toBeGreaterThan(4 * 300 / 3_600)
    expect(document.modes.regular?.['observed']).toBeGreaterThan(1_000)
    expect(document.modes_met).toBe(Object.values(document.modes).reduce((sum, events) => sum + Object.keys(events).length, 0))
  })

  it('adds up what several processes have been through', () => {
    const coverage = new ModeCoverage()
    coverage.add({ regular: { timer: 2 } })
    coverage.add({ regular: { timer: 3 }, 'backup server': { claimed: 1 } })
    expect(coverage.counts).toEqual({ regular: { timer: 5 }, 'backup server': { claimed: 1 } })
    expect(coverage.missing()).toContainEqual({ mode: 'regular', event: 'claimed' })
  })
})
