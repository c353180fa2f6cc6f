/** The core: one pure step, the same for daemon and simulator. It may change `state` in place; nothing else is touched. */
import { decideAlone, noteGateway } from './alone.ts'
import { isAgentless } from './appliance.ts'
import { noteAppliancePower } from './appliance-power.ts'
import { noteApplianceHand } from './appliance-vip.ts'
import type { Command, Reason } from './command.ts'
import { Context } from './context.ts'
import { hostOf } from './context.ts'
import { answerConsentRequest, noteConsent } from './consent.ts'
import type { Event } from './event.ts'
import { noteExamined, noteProbeAnswer, noteProbeRequest } from './examination.ts'
import { decideElectorate } from './electorate.ts'
import { decideGiving } from './giving.ts'
import { noteAdopted, noteClaimed, noteLeaseLost, notePrepared, noteReleased, noteServing, noteStopped, noteTakenOff, noteVirtualServerGone, withdraw, yieldFunction } from './giving-events.ts'
import { decideForgotten, reconfigure } from './membership.ts'
import { parseMessage, type Message } from './message.ts'
import { noteNomination, noteReturn } from './nominee.ts'
import { noteFreeSpace, noteRenewalTimes } from './protection.ts'
import { noteHealth, noteRenewal } from './local-health.ts'
import { decideLeaving, noteLeave, noteReady } from './leaving.ts'
import { decideObservation, noteObservation, noteObservationFailed } from './observation.ts'
import { decideOrders } from './orders.ts'
import { noteConfirmedDead } from './confirmed-dead.ts'
import { decidePill, noteAsked } from './pill.ts'
import { decidePower, notePower, tellNominee } from './power.ts'
import { answerPromiseRequest, decidePromises, noteGuard, notePromise } from './promise.ts'
import { decideReadiness, noteObeyed } from './readiness.ts'
import { decideRehoming, noteProgress } from './rehoming.ts'
import { decideRound, noteCondition, noteSurvey, noteSync } from './round.ts'
import { noteProbed, noteRepairHand } from './service-recovery.ts'
import type { State } from './state.ts'
import { wantReturn } from './returning.ts'
import { decideTargetRecovery } from './target-recovery.ts'
import { noteVirtualServiceProbed } from './virtual-service.ts'
import { decideWatches, notePing } from './watching.ts'

export interface StepResult {
  readonly state: State
  /** To be carried out in order, after the reasons are in the log. */
  readonly commands: readonly Command[]
  readonly reasons: readonly Reason[]
}

/** Messages to ourselves that answer messages to ourselves: two rounds are the most the rules produce. */
const SELF_MESSAGES_LIMIT = 64

export function step(state: State, event: Event, now_ms: number): StepResult {
  const context = new Context(state, now_ms)
  note(context, event)
  decide(context)
  for (let handled = 0; context.inbox.length > 0; handled += 1) {
    if (handled > SELF_MESSAGES_LIMIT) throw new Error('the core talks to itself without end')
    noteMessage(context, state.self, context.inbox.shift()!)
    if (context.inbox.length === 0) decide(context)
  }
  const at_ms = context.nextWake_ms()
  if (at_ms !== Infinity) context.do({ command: 'timer', at_ms })
  return { state, commands: context.commands, reasons: context.reasons }
}

function decide(context: Context): void {
  decideOrders(context)
  decideLeaving(context)
  decideWatches(context)
  decidePower(context)
  decideAlone(context)
  decidePill(context)
  decideRehoming(context)
  decideGiving(context)
  decideTargetRecovery(context)
  decideReadiness(context)
  decideForgotten(context)
  decideElectorate(context)
  decidePromises(context)
  decideRound(context)
  decideObservation(context)
}

function note(context: Context, event: Event): void {
  const { state } = context
  switch (event.event) {
    case 'timer': return
    case 'lease': return noteLease(context, event)
    case 'guard': return noteGuard(context, event.answers)
    case 'inventory': return reconfigure(context, event.inventory)
    case 'lease-lost': return noteLeaseLost(context, event)
    case 'observed':
      noteFreeSpace(context.state, event.free_kb)
      return noteObservation(context, event.started_ms, event.observation)
    case 'observe-failed': return noteObservationFailed(context, event.reason)
    case 'claimed': return noteClaimed(context, event)
    case 'released':
      noteReleased(context, event)
      return tellNominee(context, event.function, event.ok)
    case 'prepared': return notePrepared(context, event)
    case 'serving': return noteServing(context, event)
    case 'stopped': return noteStopped(context, event)
    case 'taken-off': return noteTakenOff(context, event)
    case 'adopted': return noteAdopted(context, event)
    case 'virtual-server-gone': return noteVirtualServerGone(context, event)
    case 'ping': return notePing(context, event.target, event.answered)
    case 'examined': return noteExamined(context, event.target, event.answered)
    case 'probed':
      if (event.where === 'vip') return noteVirtualServiceProbed(context, event)
      return noteProbed(context, event)
    case 'health': return noteHealth(context, event)
    case 'standby':
      state.standby = new Map(event.images.map(({ function: name, state: standby, detail }) => [name, { state: standby, detail }]))
      return
    case 'reach': return noteReach(context, event.host, event.reachable, event.why)
    case 'message': {
      const message = parseMessage(event.message)
      if (!message || !state.order.includes(event.from) || event.from === state.self) return context.because(`Message_from_${event.from}_is_not_understood_and_dropped`, { level: 'warning' })
      return noteMessage(context, event.from, message)
    }
    case 'return-wanted':
      for (const host of state.order) if (host !== state.self) context.send(host, { kind: 'return-wanted', function: event.function })
      return wantReturn(context, event.function)
    case 'leave': return noteLeave(context, event.why)
    case 'power': return notePowerOf(context, event)
    case 'confirmed-dead': return noteConfirmedDead(context, event.target)
    case 'asked': return noteAsked(context, event.target, event.ok, event.detail)
    case 'gateway': return noteGateway(context, event.answered)
    case 'survey': return noteSurvey(context, event.average, event.capacity)
    case 'hand': return noteHand(context, event)
    case 'woken':
      if (!event.ok) context.because(`__Wake_on_LAN_${event.target}_failed: ${event.detail}`, { level: 'warning' })
  }
}

function noteLease(context: Context, event: Extract<Event, { event: 'lease' }>): void {
  const { own } = context.state
  if (event.generation < own.generation) return
  if (event.sequence > own.sequence) {
    noteRenewalTimes(context.state, event.deadline_ms, event.took_ms, context.now_ms)
    if (event.took_ms !== undefined) noteRenewal(context, event.took_ms)
  }
  if (own.generation === 0) context.because(`Lease_is_held_(generation_${event.generation})`)
  context.state.own = { generation: event.generation, sequence: event.sequence, deadline_ms: event.deadline_ms, ...event.electorate ? { electorate: event.electorate } : {}, ...event.may_miss === undefined ? {} : { may_miss: event.may_miss } }
}

function noteReach(context: Context, name: string, reachable: boolean, why: string): void {
  if (!context.state.hosts.has(name)) return
  const host = hostOf(context.state, name)
  if (host.reachable === reachable) return
  host.reachable = reachable
  context.because(`${name}_is_${reachable ? 'reachable' : 'not_reachable'}: ${why}`)
  if (reachable) context.state.condition_due = true
}

function noteHand(context: Context, event: Extract<Event, { event: 'hand' }>): void {
  const { watches, appliances } = context.state
  const watch = watches.get(event.target)
  const appliance = appliances.get(event.target)
  if (watch && appliance && noteApplianceHand(context, watch, appliance, event)) return
  context.because(`Remote_hand_${event.verb}_on_${event.target}: ${event.ok ? 'done' : 'failed'}${event.detail ? ` (${event.detail})` : ''}`, { level: event.ok ? 'info' : 'warning', incident: watch?.incident })
  if (watch && event.ok) noteObeyed(watch)
  if (watch) noteRepairHand(context, watch, event.verb, event.ok, event.detail)
}

/** A target without an agent has no lease to weigh the answer against: it has rules of its own. */
function notePowerOf(context: Context, event: Extract<Event, { event: 'power' }>): void {
  if (!isAgentless(context.state, event.target)) return notePower(context, event)
  const watch = context.state.watches.get(event.target)
  const appliance = context.state.appliances.get(event.target)
  if (watch && appliance) noteAppliancePower(context, watch, appliance, event)
}

function noteMessage(context: Context, from: string, message: Message): void {
  switch (message.kind) {
    case 'condition': return noteCondition(context, from, message)
    case 'S': return noteSync(context, from)
    case 'R':
    case 'U':
    case 'D': return context.because(`Find_${message.kind}_(${message.target})_from_${from}`, { incident: message.incident || undefined })
    case 'nominate': return noteNomination(context, from, message)
    case 'progress': return noteProgress(context, from, message.function, message.stage, message.detail)
    case 'withdraw': return withdraw(context, message.function, message.epoch)
    case 'return': return noteReturn(context, message.function, message.epoch, message.to, message.generation)
    case 'ready': return noteReady(context, message.function, message.epoch, message.to, message.generation)
    case 'return-wanted': return wantReturn(context, message.function)
    case 'yield': return yieldFunction(context, message.function, message.epoch)
    case 'look': return void (context.state.share.look = true)
    case 'probe-request': return noteProbeRequest(context, from, message.request, message.target)
    case 'probe-answer': return noteProbeAnswer(context, message.request, message.target, message.answered)
    case 'promise-request': return answerPromiseRequest(context, from, message.request, message.epoch)
    case 'promise': return notePromise(context, from, message.request)
    case 'consent-request': return answerConsentRequest(context, from, message.request, message.holder)
    case 'consent': return noteConsent(context, from, message.request, message.free_ms)
  }
}
