import { describe, expect, it } from 'vitest'
import { predict } from '../../../src/core/prediction.ts'
import { PROFILES } from '../../../src/core/profile.ts'

const of = (trouble: Parameters<typeof predict>[0], silent_ms = 0) => predict(trouble, PROFILES.default, 1_000, silent_ms, 6_000)

describe('what an incident is expected to take (thesis 5.10-5.18)', () => {
  it('St1: no takeover; the client waits half an interval more than the repair', () => {
    expect(of('St1')).toEqual({ function_ms: null, target_ms: 500, client_ms: 1_000 })
  })

  it('St2: restart, removal of the VIP beside the start, resume; the target after its reboot', () => {
    expect(of('St2')).toEqual({ function_ms: 1_300, target_ms: 6_800, client_ms: 1_800 })
  })

  it('Nt1 and Nt2: what is left of the expiry, and the resume', () => {
    expect(of('Nt1')).toEqual({ function_ms: 3_400, target_ms: 4_000, client_ms: 3_400 })
    expect(of('Nt2', 1_000)).toEqual({ function_ms: 2_400, target_ms: 10_000, client_ms: 3_400 })
    expect(of('host', 60_000).function_ms).toBe(300)
  })
})
