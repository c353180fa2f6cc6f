import type { RingDocument } from '../control/documents.ts'
import { isAgentless, isThere } from '../core/appliance.ts'
import { hostOf } from '../core/context.ts'
import { isMember, isPresent } from '../core/presence.ts'
import { rolesOf } from '../core/ring.ts'
import type { State } from '../core/state.ts'
import { hostStateOf } from './host-state.ts'
import { stamp, type Moments } from './moments.ts'
import { servingOf } from './serving.ts'

/** `ringward.ring/1`: the live ring in order, with each host's targets, and who is outside. */
export function ringDocument(state: State, moments: Moments): RingDocument {
  const present = (name: string): boolean => isPresent(state, name)
  const members = state.order.filter(present)
  const inRing = (name: string): boolean => present(name) && isMember(state, name)
  return {
    schema: 'ringward.ring/1', at: moments.wall.toISOString(), host: state.self, synchroniser: members[0] ?? null,
    members: members.map((name, index) => {
      const roles = rolesOf(state.order, name, present).filter(role => inRing(role.target) || (isAgentless(state, role.target) && isThere(state, role.target)))
      return {
        number: index + 1, name, state: hostStateOf(state, name),
        p1_target: roles.find(role => role.priority === 1)?.target ?? null, p2_target: roles.find(role => role.priority === 2)?.target ?? null,
      }
    }),
    separated: state.order.filter(name => !present(name)).map(name => ({
      name, state: hostStateOf(state, name), since: hostOf(state, name).lease ? stamp(moments, hostOf(state, name).lease_since_ms) : null,
      giver: servingOf(state, name)?.giver ?? null,
    })),
  }
}
