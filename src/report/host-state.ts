import type { HostState } from '../control/documents.ts'
import { isAgentless, isThere } from '../core/appliance.ts'
import { functionOf, hostOf } from '../core/context.ts'
import { isPresent } from '../core/presence.ts'
import type { State } from '../core/state.ts'

/** Where a host stands, in the words of `status`. */
export function hostStateOf(state: State, name: string): HostState {
  const { lease } = hostOf(state, name)
  if (state.orders.maintenance_until_ms.has(name)) return 'maintenance'
  if (name !== state.self && lease?.standing === 'unmanaged') return 'unmanaged'
  const { claim, release } = functionOf(state, name)
  const away = claim !== undefined && (claim.holder !== name || release !== undefined)
  if (away) return 'separated'
  if (isAgentless(state, name)) return isThere(state, name) ? 'watched' : 'unreachable'
  return isPresent(state, name) ? 'in ring' : 'unreachable'
}
