/** P1's hand keeps the VIP of a target without an agent where the newest claim says (R6 and R7 on its behalf), and hands the function back. */
import { applianceAnswers, type Appliance, type ApplianceVerb } from './appliance.ts'
import type { ClaimOrder } from './command.ts'
import type { Context } from './context.ts'
import { functionOf } from './context.ts'
import type { Event } from './event.ts'
import { releaseEpoch } from './giving.ts'
import { isHeld } from './orders.ts'
import { askToReturn, STABLE_ROUNDS } from './returning.ts'
import { mayTakeUp } from './right-to-claim.ts'
import type { Watch } from './state.ts'

/** Longest an order may take: connect, find out the system, two lists of addresses, an announcement. */
const HAND_LIMIT_MS = 5_000
/** The answer itself may be late by that much. */
const ANSWER_MARGIN_MS = 1_000
/** Between looks at a target that seems well; after a refused order as well. */
const LOOK_LEAST_MS = 5_000
const LOOK_ROUNDS = 5
const RETRY_MS = 5_000
const LOOK_AGAIN_MS = 1_000

export function orderHand(context: Context, appliance: Appliance, target: string, verb: ApplianceVerb, epoch: number): void {
  appliance.order = { verb, epoch, until_ms: context.now_ms + HAND_LIMIT_MS + ANSWER_MARGIN_MS }
  appliance.look_ms = context.now_ms + Math.max(LOOK_LEAST_MS, LOOK_ROUNDS * context.state.inventory.interval_ms)
  context.do({ command: 'hand', target, verb, args: verb === 'look' ? [] : [target, String(epoch)], limit_ms: HAND_LIMIT_MS })
}

/** Whether an order is still under way; one whose answer never came leaves nothing known. */
export function isBusy(context: Context, appliance: Appliance): boolean {
  if (!appliance.order) return false
  if (!context.due(appliance.order.until_ms)) return true
  appliance.order = undefined
  appliance.vip = undefined
  return false
}

/** Whoever acts on a target needs what any claim needs: a good lease, and the share read lately (R4). */
export function mayAct(context: Context): boolean {
  return !isHeld(context.state) && mayTakeUp(context)
}

export function decideVip(context: Context, watch: Watch, appliance: Appliance): void {
  if (isBusy(context, appliance) || !applianceAnswers(watch) || watch.mode === 'service recovery') return
  if (context.due(appliance.look_ms)) return orderHand(context, appliance, watch.target, 'look', 0)
  if (appliance.vip === undefined || !mayAct(context)) return
  const { claim, release } = functionOf(context.state, watch.target)
  appliance.inherited_epoch ??= claim?.epoch ?? 0
  if (!claim) return void (watch.service.verdict === 'OK' && claimFor(context, appliance, watch.target, 1, 'first'))
  if (claim.holder !== watch.target || release) {
    if (appliance.vip === 'on') return takeStray(context, watch, appliance)
    return decideReturn(context, watch, appliance)
  }
  if (appliance.vip === 'off') giveVip(context, watch, appliance)
  // Left by an agent that once ran there: from now on nobody waits for its lease.
  else if (claim.generation !== 0) claimFor(context, appliance, watch.target, claim.epoch + 1, 'own-past')
}

/** On its behalf: generation 0 says that no lease stands behind this claim. */
function claimFor(context: Context, appliance: Appliance, target: string, epoch: number, proof: ClaimOrder['proof']): void {
  if (!context.due(appliance.claim_ms)) return
  appliance.claim_ms = context.now_ms + RETRY_MS
  context.because(`Claim_${target}_epoch_${epoch}_(${proof})_for_${target},_which_has_no_agent`, { incident: context.state.watches.get(target)?.incident })
  context.do({ command: 'claim', order: { function: target, epoch, holder: target, generation: 0, kind: 'native', proof, by: context.state.self } })
}

/**
 * The VIP is missing where it belongs. Under an epoch that stood before this manager came, or whose release was ordered, a release may be
 * on its way that nobody has seen yet: it is superseded first, so that it can never set another giver free.
 */
function giveVip(context: Context, watch: Watch, appliance: Appliance): void {
  const { claim, given_up_epoch } = functionOf(context.state, watch.target)
  if (!claim || watch.service.verdict !== 'OK') return
  if (claim.generation !== 0 || claim.epoch <= Math.max(appliance.inherited_epoch ?? Infinity, given_up_epoch)) return claimFor(context, appliance, watch.target, claim.epoch + 1, 'own-past')
  if (!context.due(appliance.give_ms)) return
  appliance.give_ms = context.now_ms + RETRY_MS
  context.because(`Virtual_IP_of_${watch.target}_is_missing_on_it: put_there_(epoch_${claim.epoch})`, { incident: watch.incident })
  orderHand(context, appliance, watch.target, 'give', claim.epoch)
}

/** Its own system has put it there, at a boot for example: there are two givers until it is gone. */
function takeStray(context: Context, watch: Watch, appliance: Appliance): void {
  const { claim, release } = functionOf(context.state, watch.target)
  const whose = release ? `epoch ${claim!.epoch} was released (${release.how})` : `epoch ${claim!.epoch} belongs to ${claim!.holder}`
  context.because(`Virtual_IP_of_${watch.target}_is_on_it_though_${whose}: taken_off; it_must_not_be_configured_there`, { level: 'alarm', incident: watch.incident })
  orderHand(context, appliance, watch.target, 'release', claim!.epoch)
}

/** Healthy and without the VIP: its function comes back from whoever gives it, or is claimed for it when nobody does. */
function decideReturn(context: Context, watch: Watch, appliance: Appliance): void {
  const { claim, release } = functionOf(context.state, watch.target)
  if (!claim || watch.service.good_rounds < STABLE_ROUNDS) return
  if (release) return claimFor(context, appliance, watch.target, claim.epoch + 1, 'released')
  askToReturn(context, watch, 0)
}

/** What the hand answered; true when nothing more is to be said of it. */
export function noteApplianceHand(context: Context, watch: Watch, appliance: Appliance, event: Extract<Event, { event: 'hand' }>): boolean {
  const { verb, ok, detail, vip } = event
  if (verb !== 'look' && verb !== 'give' && verb !== 'release') return false
  const epoch = appliance.order?.verb === verb ? appliance.order.epoch : watch.repair?.epoch ?? 0
  if (appliance.order?.verb === verb) appliance.order = undefined
  noteHandCondition(context, watch, appliance, vip !== undefined, detail)
  if (vip !== undefined && vip !== appliance.vip) context.because(`Virtual_IP_of_${watch.target}_is_${vip === 'on' ? 'on_it' : 'not_on_it'}`, { incident: watch.incident })
  appliance.vip = vip
  context.state.condition_due = true
  if (verb === 'look') return true
  if (verb === 'give') {
    context.because(`Virtual_IP_of_${watch.target}_${ok ? 'was_put_there' : 'could_not_be_put_there'}: ${detail}`, { level: ok ? 'info' : 'alarm', incident: watch.incident })
    if (event.barred) appliance.inherited_epoch = Math.max(appliance.inherited_epoch ?? 0, epoch)
    return true
  }
  const { claim, release } = functionOf(context.state, watch.target)
  if (ok && claim?.holder === watch.target && claim.epoch === epoch && !release) releaseEpoch(context, watch.target, epoch, 'remote-hand')
  return false
}

/** A hand that fails is said once: without it nothing can be proved when it matters. */
function noteHandCondition(context: Context, watch: Watch, appliance: Appliance, good: boolean, detail: string): void {
  if (good) appliance.hand_ms = context.now_ms
  if (good === appliance.hand_good) return
  // An SSH server is slower to come back than a ping.
  if (!good) appliance.look_ms = Math.min(appliance.look_ms, context.now_ms + LOOK_AGAIN_MS)
  if (!good && applianceAnswers(watch)) context.because(`Remote_hand_does_not_reach_${watch.target}: ${detail}; while it does not, its stop cannot be proved by it`, { level: 'alarm', incident: watch.incident })
  if (good && appliance.hand_good === false) context.because(`Remote_hand_reaches_${watch.target}_again`, { incident: watch.incident })
  appliance.hand_good = good
}
