/** Who gives a function, for people: by the share, or by the giver's own word where it is newer than the last look at the share. */
import { functionOf, hostOf } from '../core/context.ts'
import { giverOf } from '../core/incident.ts'
import { isPresent } from '../core/presence.ts'
import type { State } from '../core/state.ts'

export interface Serving {
  readonly giver: string
  readonly kind: 'native' | 'virtual'
  readonly epoch: number
  /** Boot clock; undefined while its claim has not been read. */
  readonly since_ms: number | undefined
}

/**
 * Undefined: nobody, as far as this host knows. Whoever says that it serves under a newer epoch has won that claim: while the shared area is silent
 * a function that was claimed within the last look is not shown as lost. Nothing acts by this.
 */
export function servingOf(state: State, name: string): Serving | undefined {
  const { claim, since_ms } = functionOf(state, name)
  const giver = giverOf({ state }, name)
  if (claim && giver !== undefined) return { giver, kind: claim.kind, epoch: claim.epoch, since_ms }
  for (const host of state.order) {
    if (host === state.self || !isPresent(state, host)) continue
    const said = hostOf(state, host).condition?.giving.find(entry => entry.function === name)
    if (said?.stage === 'serving' && said.epoch > (claim?.epoch ?? 0)) return { giver: host, kind: said.kind, epoch: said.epoch, since_ms: undefined }
  }
  return undefined
}
