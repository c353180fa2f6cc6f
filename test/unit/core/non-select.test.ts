import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forecast, nonSelectValue, normaliseLoads } from '../../../src/core/non-select.ts'

const capacity = { memory_kb: 1_000, cores: 4, network_rated_kb_per_s: 100 }
const average = (memory_kb: number, cpu_idle_percent: number, network_kb_per_s: number) => ({ memory_kb, cpu_idle_percent, network_kb_per_s })

describe('the non-select value (thesis 5.2.5)', () => {
  it('of the thesis\'s example: FTP (NETWORK) fails, Web has 43, Mail 133, and Web is chosen', () => {
    expect(nonSelectValue('NETWORK', 0, { memory: 40, cpu: 30, network: 50 })).toBeCloseTo(43, 10)
    expect(nonSelectValue('NETWORK', 1, { memory: 30, cpu: 20, network: 40 })).toBeCloseTo(133, 10)
  })

  it('weighs by the type of the failed server (fig. 5.5)', () => {
    const load = { memory: 10, cpu: 20, network: 40 }
    expect(nonSelectValue('CPU', 0, load)).toBeCloseTo(5 + 8 + 4, 10)
    expect(nonSelectValue('NETWORK', 0, load)).toBeCloseTo(5 + 2 + 16, 10)
    expect(nonSelectValue('CPU_NET', 0, load)).toBeCloseTo(5 + 5 + 10, 10)
  })

  it('of a host with one virtual server more is never better, whatever the loads', () => {
    const percent = fc.double({ min: 0, max: 100, noNaN: true })
    const load = fc.record({ memory: percent, cpu: percent, network: percent })
    fc.assert(fc.property(fc.constantFrom('CPU', 'NETWORK', 'CPU_NET'), load, load, (type, a, b) =>
      nonSelectValue(type, 1, a) >= nonSelectValue(type, 0, b) - 1e-9))
  })
})

describe('the forecast (5.1-5.3)', () => {
  it('goes on as it went: 2·A(n) − A(n−1)', () => {
    expect(forecast(average(500, 50, 60), average(400, 60, 50), capacity)).toEqual(average(600, 40, 70))
  })

  it('stops at nothing', () => {
    expect(forecast(average(100, 10, 10), average(900, 90, 90), capacity)).toEqual(average(0, 0, 0))
  })

  it('stops at physical memory, 100 %, and twice the rated link speed', () => {
    expect(forecast(average(900, 90, 190), average(100, 10, 10), capacity)).toEqual(average(1_000, 100, 200))
  })
})

describe('normalised load (5.4-5.9)', () => {
  const host = (memory_kb: number, idle: number, network: number, cores = 4) => ({ forecast: average(memory_kb, idle, network), capacity: { ...capacity, cores } })

  it('is 0 for the best host and 100 for the worst', () => {
    const [best, middle, worst] = normaliseLoads([host(900, 90, 10), host(500, 50, 50), host(100, 10, 90)])
    expect(best).toEqual({ memory: 0, cpu: 0, network: 0 })
    expect(middle).toEqual({ memory: 50, cpu: 50, network: 50 })
    expect(worst).toEqual({ memory: 100, cpu: 100, network: 100 })
  })

  it('compares idle cores, not percent', () => {
    const [small, large] = normaliseLoads([host(1, 90, 1, 2), host(1, 50, 1, 8)])
    expect(small!.cpu).toBe(100)
    expect(large!.cpu).toBe(0)
  })

  it('is 100 where all are equal, and for a host alone', () => {
    expect(normaliseLoads([host(5, 5, 5), host(5, 5, 5)])).toEqual([{ memory: 100, cpu: 100, network: 100 }, { memory: 100, cpu: 100, network: 100 }])
    expect(normaliseLoads([host(5, 5, 5)])).toEqual([{ memory: 100, cpu: 100, network: 100 }])
    expect(normaliseLoads([])).toEqual([])
  })

  it('stays between 0 and 100', () => {
    const any = fc.record({ memory: fc.integer({ min: 0, max: 1e9 }), idle: fc.integer({ min: 0, max: 100 }), network: fc.integer({ min: 0, max: 200 }), cores: fc.integer({ min: 1, max: 64 }) })
    fc.assert(fc.property(fc.array(any, { minLength: 1, maxLength: 12 }), hosts => {
      for (const load of normaliseLoads(hosts.map(({ memory, idle, network, cores }) => host(memory, idle, network, cores)))) {
        for (const value of Object.values(load) as number[]) {
          expect(value).toBeGreaterThanOrEqual(0)
          expect(value).toBeLessThanOrEqual(100)
        }
      }
    }))
  })
})
