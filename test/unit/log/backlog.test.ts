import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Backlog } from '../../../src/edges/log/backlog.ts'

describe('a backlog', () => {
  let takes: boolean
  let written: number[]
  let problems: string[]
  const open = (limit?: number) => new Backlog<number>({
    what: 'it', onProblem: text => problems.push(text), ...limit === undefined ? {} : { limit },
    write: line => {
      if (!takes) throw new Error('no room')
      written.push(line)
    },
  })

  beforeEach(() => {
    vi.useFakeTimers()
    takes = true
    written = []
    problems = []
  })
  afterEach(() => { vi.useRealTimers() })

  it('writes at once what can be written', () => {
    const backlog = open()
    backlog.write(1)
    expect([written, backlog.length, problems]).toEqual([[1], 0, []])
  })

  it('tries again by itself', () => {
    const backlog = open()
    takes = false
    backlog.write(1)
    backlog.write(2)
    vi.advanceTimersByTime(12_000)
    takes = true
    vi.advanceTimersByTime(5_000)
    expect([written, backlog.length]).toEqual([[1, 2], 0])
    expect(problems).toEqual(['it cannot be written: no room; lines wait in memory until it can', 'it can be written again; 2 lines had to wait'])
  })

  it('lets the oldest go beyond its limit, and says how many', () => {
    const backlog = open(3)
    takes = false
    for (let line = 1; line <= 10; line++) backlog.write(line)
    takes = true
    backlog.end()
    expect(written).toEqual([8, 9, 10])
    expect(problems.at(-1)).toBe('it can be written again; 3 lines had to wait, and 7 more were lost')
  })

  it('leaves no timer behind at its end', () => {
    const backlog = open()
    takes = false
    backlog.write(1)
    backlog.end()
    expect(vi.getTimerCount()).toBe(0)
  })
})
