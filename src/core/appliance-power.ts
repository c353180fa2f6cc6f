/** Proof by the power controller, for targets without an agent: the one place of their watch that knows about power. */
import type { Appliance } from './appliance.ts'
import type { Context } from './context.ts'
import { functionOf, hostOf, serverOf } from './context.ts'
import type { Event } from './event.ts'
import { examine } from './examination.ts'
import { releaseEpoch } from './giving.ts'
import { isSlow } from './local-health.ts'
import { isPresent } from './presence.ts'
import { mayAct } from './appliance-vip.ts'
import type { Watch } from './state.ts'
import { mostVanished } from './watching.ts'

const ASK_EVERY_MS = 3_000
/** An examination has all its answers by then, and is worth nothing much later. */
const EXAMINED_LEAST_MS = 1_000
const EXAMINED_MOST_MS = 5_000

export function decidePower(context: Context, watch: Watch, appliance: Appliance, lost: boolean): void {
  const { power } = appliance
  if (serverOf(context.state, watch.target).power.command === undefined) return
  const { claim, release } = functionOf(context.state, watch.target)
  if (power.off_ordered_ms !== undefined && (release || claim?.holder !== watch.target)) {
    power.off_ordered_ms = undefined
    context.because(`__Power_on_${watch.target}: what it gave is released`, { incident: watch.incident })
    return context.do({ command: 'power', target: watch.target, verb: 'on', request: (context.state.counter += 1) })
  }
  if (!lost || !claim || !mayAct(context)) return
  const off = power.state === 'on' && isDeafEverywhere(context, watch, appliance)
  if (!context.due(power.asked_ms + ASK_EVERY_MS)) return
  power.asked_ms = context.now_ms
  power.request = context.state.counter += 1
  power.epoch = claim.epoch
  power.state = 'unknown'
  if (off) {
    power.off_ordered_ms = context.now_ms
    context.because(`Power_off_${watch.target}: it has power and nobody has heard it for ${Math.round(context.now_ms - appliance.heard_ms)} ms`, { level: 'alarm', incident: watch.incident })
  }
  context.do({ command: 'power', target: watch.target, verb: off ? 'off' : 'status', request: power.request })
}

/** Not heard for D_exp, and a fresh examination by us and by others has found nothing. */
function isDeafEverywhere(context: Context, watch: Watch, appliance: Appliance): boolean {
  const { state, now_ms } = context
  const { examination } = watch
  if (!context.due(appliance.heard_ms + state.profile.expire_ms) || mostVanished(state) || isSlow(state)) return false
  // Whoever reaches none of the others may be the one that is cut off.
  const others = state.order.filter(host => host !== state.self && isPresent(state, host))
  if (others.length > 0 && !others.some(host => hostOf(state, host).reachable)) return false
  if (!examination || now_ms - examination.started_ms > EXAMINED_MOST_MS) {
    examine(context, watch)
    return false
  }
  return context.due(examination.started_ms + EXAMINED_LEAST_MS) && examination.direct === false && !examination.indirect
}

/** `off` is proof for the epoch that stood when it was asked. An order to switch off is no proof: the next status is. */
export function noteAppliancePower(context: Context, watch: Watch, appliance: Appliance, event: Extract<Event, { event: 'power' }>): void {
  const { target, verb, request, state, detail } = event
  const { power } = appliance
  const { claim, release } = functionOf(context.state, target)
  if (state !== 'on' || verb !== 'status') context.because(`Power_${verb}_of_${target}: ${state}${detail ? ` (${detail})` : ''}`, { level: state === 'unknown' ? 'warning' : 'info', incident: watch.incident })
  if (verb === 'on' || request !== power.request) return
  if (verb === 'off') return void (power.asked_ms = -Infinity)
  power.state = state
  if (state === 'off' && claim?.holder === target && claim.epoch === power.epoch && !release) releaseEpoch(context, target, claim.epoch, 'power')
}
