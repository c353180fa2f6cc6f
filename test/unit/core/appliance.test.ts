import { describe, expect, it } from 'vitest'
import { Context } from '../../../src/core/context.ts'
import { parseMessage } from '../../../src/core/message.ts'
import { PROFILES } from '../../../src/core/profile.ts'
import type { ClaimRecord, ReleaseRecord } from '../../../src/core/records.ts'
import { proofStands, rightToClaim } from '../../../src/core/right-to-claim.ts'
import { initialState, type State } from '../../../src/core/state.ts'
import { step } from '../../../src/core/step.ts'
import { sampleInventory } from '../../../src/simulator/sample-inventory.ts'

const LONG_MS = 1_000_000

/** login, with a good lease and a fresh read of a share that has been there for a long time; ftp gives under `claim`. */
function stateOf(agentless: readonly string[], claim: Partial<ClaimRecord> = {}): State {
  const state = initialState('login', sampleInventory(6, { agentless }), PROFILES.default, 0, 0)
  const ftp: ClaimRecord = { schema: 'ringward.claim/1', function: 'ftp', epoch: 1, holder: 'ftp', generation: 0, kind: 'native', proof: 'first', by: 'login', nonce: 'x', ...claim }
  step(state, { event: 'lease', generation: 1, sequence: 1, deadline_ms: 2 * LONG_MS }, 0)
  for (let at_ms = 0; at_ms <= LONG_MS; at_ms += LONG_MS / 2_000) step(state, { event: 'observed', started_ms: at_ms, observation: { leases: [], claims: [{ claim: ftp }], orders: [] } }, at_ms)
  return state
}

describe('a claim whose holder has no lease', () => {
  it('is not overcome by silence, however long', () => {
    const state = stateOf(['ftp'])
    expect(rightToClaim(new Context(state, LONG_MS), 'ftp')).toEqual({ refused: 'ftp has no agent and no lease: only a release proves that it has stopped' })
    expect(proofStands(state, 'ftp', LONG_MS)).toBe(false)
  })

  it('is not overcome by silence after the configuration has given ftp an agent', () => {
    expect(rightToClaim(new Context(stateOf([]), LONG_MS), 'ftp')).toHaveProperty('refused')
    // The same silence of a holder with a lease is proof.
    expect(rightToClaim(new Context(stateOf([], { generation: 3 }), LONG_MS), 'ftp')).toMatchObject({ proof: 'silence' })
  })

  it('nor when its claim is that of an agent that ran there before', () => {
    expect(rightToClaim(new Context(stateOf(['ftp'], { generation: 3 }), LONG_MS), 'ftp')).toHaveProperty('refused')
  })

  it('falls by a release', () => {
    const state = stateOf(['ftp'])
    state.functions.get('ftp')!.release = { schema: 'ringward.release/1', function: 'ftp', epoch: 1, how: 'remote-hand', by: 'login' } satisfies ReleaseRecord
    expect(rightToClaim(new Context(state, LONG_MS), 'ftp')).toEqual({ proof: 'released', epoch: 2 })
    expect(proofStands(state, 'ftp', LONG_MS)).toBe(true)
  })
})

describe('a server without an agent', () => {
  it('has no lease, whatever an agent that once ran there has left', () => {
    const state = stateOf(['ftp'])
    step(state, { event: 'observed', started_ms: LONG_MS, observation: { leases: [{ schema: 'ringward.lease/1', host: 'ftp', generation: 9, sequence: 9, standing: 'member', boot_id: 'b' }], claims: [], orders: [] } }, LONG_MS)
    expect(state.hosts.get('ftp')?.lease).toBeUndefined()
  })

  it('is spoken for by its P1, in a message that is checked like any other', () => {
    const message = { kind: 'condition', generation: 1, sequence: 1, version: '1', giving: [], watches: [] }
    expect(parseMessage({ ...message, agentless: [{ target: 'ftp', answering: true, serving: false }] })).toBeDefined()
    expect(parseMessage({ ...message, agentless: [{ target: 'ftp', answering: 'yes', serving: false }] })).toBeUndefined()
    expect(parseMessage(message)).toBeDefined()
  })
})
