import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { p1Of, p2Of, rolesOf } from '../../../src/core/ring.ts'

const ring = (count: number): string[] => Array.from({ length: count }, (_, index) => `S${index + 1}`)
const without = (...away: readonly string[]) => (host: string): boolean => !away.includes(host)
const roles = (order: readonly string[], self: string, ...away: readonly string[]): string[] =>
  rolesOf(order, self, without(...away)).map(({ target, priority }) => `P${priority} of ${target}`).sort()

describe('the whole ring (thesis 5.2.2)', () => {
  it('of one host watches nobody', () => {
    expect(rolesOf(ring(1), 'S1', () => true)).toEqual([])
    expect(p1Of(ring(1), 'S1', () => true)).toBeUndefined()
    expect(p2Of(ring(1), 'S1', () => true)).toBeUndefined()
  })

  it('of two: each manages one (tables 5.1, 5.2)', () => {
    expect(roles(ring(2), 'S1')).toEqual(['P1 of S2'])
    expect(roles(ring(2), 'S2')).toEqual(['P1 of S1'])
    expect(p2Of(ring(2), 'S1', () => true)).toBeUndefined()
  })

  it('of three: P1 of the next, P2 of the one before', () => {
    expect(roles(ring(3), 'S1')).toEqual(['P1 of S2', 'P2 of S3'])
    expect(roles(ring(3), 'S2')).toEqual(['P1 of S3', 'P2 of S1'])
    expect(roles(ring(3), 'S3')).toEqual(['P1 of S1', 'P2 of S2'])
  })

  it('of six: two targets each, whatever the number of servers', () => {
    for (const [index, host] of ring(6).entries()) {
      expect(roles(ring(6), host)).toEqual([`P1 of S${((index + 1) % 6) + 1}`, `P2 of S${((index + 5) % 6) + 1}`])
    }
  })

  it('knows nobody who is not in it', () => {
    expect(p1Of(ring(3), 'S9', () => true)).toBeUndefined()
  })
})

describe('dynamic management expansion (thesis 5.3.1, fig. 5.10)', () => {
  const six = ring(6)

  it('(a) S2 fails: S1 recovers it and becomes P1 of S3, S3 becomes P2 of S1; "P1 of S1" of S6 stays', () => {
    expect(roles(six, 'S1', 'S2')).toEqual(['P1 of S2', 'P1 of S3', 'P2 of S6'])
    expect(roles(six, 'S3', 'S2')).toEqual(['P1 of S4', 'P2 of S1', 'P2 of S2'])
    expect(roles(six, 'S6', 'S2')).toContain('P1 of S1')
  })

  it('(b) S2 and S3 fail together: S1 becomes P1 of S4, S4 becomes P2 of S1, both stand at S2 and S3', () => {
    expect(roles(six, 'S1', 'S2', 'S3')).toEqual(['P1 of S2', 'P1 of S3', 'P1 of S4', 'P2 of S6'])
    expect(roles(six, 'S4', 'S2', 'S3')).toEqual(['P1 of S5', 'P2 of S1', 'P2 of S2', 'P2 of S3'])
  })

  it('(c) S2, S3 and S4 fail together: the ring closes S1-S5', () => {
    expect(roles(six, 'S1', 'S2', 'S3', 'S4')).toEqual(['P1 of S2', 'P1 of S3', 'P1 of S4', 'P1 of S5', 'P2 of S6'])
    expect(roles(six, 'S5', 'S2', 'S3', 'S4')).toEqual(['P1 of S6', 'P2 of S1', 'P2 of S2', 'P2 of S3', 'P2 of S4'])
  })

  it('five of six: the survivor is P1 of all', () => {
    expect(roles(six, 'S4', 'S1', 'S2', 'S3', 'S5', 'S6')).toEqual(['P1 of S1', 'P1 of S2', 'P1 of S3', 'P1 of S5', 'P1 of S6'])
  })

  it('recovery of S2 while S3 is still down: S2 comes back between S1 and S4', () => {
    expect(roles(six, 'S1', 'S3')).toEqual(['P1 of S2', 'P2 of S6'])
    expect(roles(six, 'S2', 'S3')).toEqual(['P1 of S3', 'P1 of S4', 'P2 of S1'])
    expect(roles(six, 'S4', 'S3')).toEqual(['P1 of S5', 'P2 of S2', 'P2 of S3'])
  })
})

/** A ring with at least one host present. */
const views = fc.integer({ min: 1, max: 12 }).chain(count => fc.record({
  order: fc.constant(ring(count)), mask: fc.array(fc.boolean(), { minLength: count, maxLength: count }),
})).map(({ order, mask }) => ({ order, there: order.filter((_, index) => mask[index]) })).filter(({ there }) => there.length > 0)

describe('for every set of present hosts', () => {
  it('each present host has at most one P1 target and one P2 target among those present', () => {
    fc.assert(fc.property(views, ({ order, there }) => {
      const present = (host: string): boolean => there.includes(host)
      for (const self of there) {
        const among = rolesOf(order, self, present).filter(role => present(role.target))
        expect(among.filter(role => role.priority === 1).length).toBeLessThanOrEqual(1)
        expect(among.filter(role => role.priority === 2).length).toBeLessThanOrEqual(1)
      }
    }))
  })

  it('each target, present or not, has exactly one P1 that is present, and its P2 is another', () => {
    fc.assert(fc.property(views, ({ order, there }) => {
      const present = (host: string): boolean => there.includes(host)
      for (const target of order) {
        const managers = there.flatMap(self => rolesOf(order, self, present).filter(role => role.target === target).map(role => ({ self, priority: role.priority })))
        const alone = there.length === 1 && there[0] === target
        expect(managers.filter(({ priority }) => priority === 1).length).toBe(alone ? 0 : 1)
        expect(managers.filter(({ priority }) => priority === 2).length).toBeLessThanOrEqual(1)
        expect(new Set(managers.map(({ self }) => self)).size).toBe(managers.length)
        expect(managers.find(({ priority }) => priority === 1)?.self).toBe(p1Of(order, target, present))
      }
    }))
  })

  it('the P1 targets of those present make one closed ring', () => {
    fc.assert(fc.property(views, ({ order, there }) => {
      const present = (host: string): boolean => there.includes(host)
      let host = there[0]!
      const visited = new Set<string>()
      while (!visited.has(host)) {
        visited.add(host)
        host = rolesOf(order, host, present).find(role => role.priority === 1 && present(role.target))?.target ?? host
      }
      expect(visited.size).toBe(there.length)
    }))
  })
})
