/** A reboot by the remote hand, and what it would cut beside the service it is to heal. */
import type { Context } from './context.ts'
import { claimsHeldBy } from './context.ts'
import type { State, Watch } from './state.ts'
import { note } from './watching.ts'

/** The functions of others that it gives mostly go home within the time of a boot or two; whoever waits for this reboot is given elsewhere, and loses nothing. */
const PUT_OFF_MS = 60_000

/** Functions of other servers, given by that host now. */
function givenForOthers(state: State, host: string): string[] {
  return claimsHeldBy(state, host).map(claim => claim.function).filter(name => name !== host && state.order.includes(name))
}

/** `due_ms`: since when it is wanted. Asked again with each step while it is put off. */
export function mayReboot(context: Context, watch: Watch | undefined, target: string, due_ms: number): boolean {
  const others = givenForOthers(context.state, target)
  if (others.length === 0 || context.due(due_ms + PUT_OFF_MS)) return true
  if (watch) note(context, watch, `Reboot_of_${target}_is_put_off: it gives ${others.join(', ')}; until they are given elsewhere, ${PUT_OFF_MS / 1_000} s at most`)
  return false
}
