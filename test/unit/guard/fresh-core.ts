import { expect } from 'vitest'
import { PROFILES } from '../../../src/core/profile.ts'
import { GuardCore, type Renewal } from '../../../src/guard/guard-core.ts'
import type { NativeCharge, VirtualCharge } from '../../../src/guard/guard-protocol.ts'

export const profile = PROFILES.default
export const native: NativeCharge = { function: 'ftp', epoch: 3, kind: 'native', vip: '10.0.0.5', prefix: 24, device: 'host0' }
export const virtual: VirtualCharge = { function: 'web1', epoch: 7, kind: 'virtual', virtual_server: 'vweb1', pid: 4711, pid_start: '99' }

export const OTHERS = ['login', 'web1']

export function freshCore(now_ms = 0, generation = 5): GuardCore {
  const core = new GuardCore(profile, generation, now_ms)
  core.goBeyond(0)
  core.agentPresent(true, now_ms)
  core.electorateIs(OTHERS, now_ms)
  return core
}

export function renewed(core: GuardCore, now_ms: number, after_ms = 10): Renewal {
  const renewal = core.renew(now_ms)
  if (!renewal) throw new Error('no renewal was due')
  expect(core.acknowledged(renewal, now_ms + after_ms)).toBe(true)
  return renewal
}
