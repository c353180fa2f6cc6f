import { describe, expect, it } from 'vitest'
import { Harness } from './harness.ts'

describe('a settled ring in the harness', () => {
  it.each(['mail', 'ftp', 'web2'])('is quiet: %s gives its function and watches two in regular mode', self => {
    const harness = Harness.settled(self)
    harness.run(10_000)
    expect(harness.reasons).toEqual([])
    expect([...harness.state.giving.values()].map(({ function: name, stage }) => [name, stage])).toEqual([[self, 'serving']])
    expect([...harness.state.watches.values()].map(({ mode }) => mode)).toEqual(['regular', 'regular'])
    expect(harness.asked('claim')).toEqual([])
  })
})
