/**
 * Proof that a lost target without an agent has stopped. Silence proves nothing: it has no lease that could run out. Its power is off, or
 * the hand has taken the VIP off it, or a person says so; until then its virtual server waits, and that is said aloud.
 */
import { applianceAnswers, type Appliance } from './appliance.ts'
import { decidePower } from './appliance-power.ts'
import { isBusy, mayAct, orderHand } from './appliance-vip.ts'
import type { Context } from './context.ts'
import { functionOf, hostOf, serverOf } from './context.ts'
import { isSlow, withhold } from './local-health.ts'
import type { Watch } from './state.ts'

/** SSH answers though nothing else does: so long a ping has to follow, before the VIP is taken from a host that has just come back. */
const SECOND_LOOK_MS = 1_000
/** Rounds for the services of a host that is back, before its VIP is taken off for their silence. */
const BACK_ROUNDS = 3
const TELL_FIRST_MS = 5_000
const TELL_EVERY_MS = 60_000

export function decideProof(context: Context, watch: Watch, appliance: Appliance): void {
  decidePower(context, watch, appliance, isLost(context, watch))
  if (!isLost(context, watch) || !mayAct(context)) return
  tellOperator(context, watch, appliance)
  if (isBusy(context, appliance)) return
  if (applianceAnswers(watch)) return takeFromReturned(context, watch, appliance)
  const reached = appliance.hand_good === true && appliance.hand_ms > watch.mode_since_ms
  if (reached && context.due(appliance.hand_ms + SECOND_LOOK_MS)) return take(context, watch, appliance)
  if (!reached && context.due(appliance.look_ms)) orderHand(context, appliance, watch.target, 'look', 0)
}

/** Our own incident, and what the target gave is not proved to have ended. */
function isLost(context: Context, watch: Watch): boolean {
  const { claim, release } = functionOf(context.state, watch.target)
  const incident = context.state.incidents.get(watch.incident ?? '')
  return watch.mode === 'backup server' && incident !== undefined && incident.trouble !== 'St2' && claim?.holder === watch.target && !release
}

/** It answers again. With a good service it goes on (target-recovery.ts); without one the virtual server is faster. */
function takeFromReturned(context: Context, watch: Watch, appliance: Appliance): void {
  const { state } = context
  if (watch.service.verdict === 'OK' || appliance.vip === undefined) return
  if (context.due(hostOf(state, watch.target).generation_since_ms + BACK_ROUNDS * state.inventory.interval_ms)) take(context, watch, appliance)
}

function take(context: Context, watch: Watch, appliance: Appliance): void {
  if (isSlow(context.state)) return withhold(context, watch, `${watch.target}_does_not_answer_and_its_remote_hand_does`)
  if (!context.due(appliance.take_ms)) return
  appliance.take_ms = context.now_ms + TELL_FIRST_MS
  context.because(`Remove_virtual_IP_(${serverOf(context.state, watch.target).address}): the remote hand reaches ${watch.target} though its services do not answer`, { incident: watch.incident })
  orderHand(context, appliance, watch.target, 'release', functionOf(context.state, watch.target).claim!.epoch)
}

function tellOperator(context: Context, watch: Watch, appliance: Appliance): void {
  if (!context.due(Math.max(watch.mode_since_ms + TELL_FIRST_MS, appliance.told_ms + TELL_EVERY_MS))) return
  appliance.told_ms = context.now_ms
  const power = serverOf(context.state, watch.target).power.command ? 'its power cannot be seen to be off' : 'it has no power command'
  context.because(`No_proof_that_${watch.target}_has_stopped: it has no lease, ${power}, the remote hand does not reach it. Nobody takes over before there is proof: repair it, or switch it off for good and run "ringward confirm-dead ${watch.target}"`, { level: 'alarm', incident: watch.incident })
}
