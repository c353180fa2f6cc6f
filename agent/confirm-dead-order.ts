import type { ActionDocument, ActionStep } from '../src/control/documents.ts'
import { livingSign } from '../src/core/confirmed-dead.ts'
import { claimsHeldBy, serverOf } from '../src/core/context.ts'
import type { Event } from '../src/core/event.ts'
import { giverOf } from '../src/core/incident.ts'
import type { State } from '../src/core/state.ts'
import type { Clock } from '../src/edges/clock.ts'
import { RingwardError } from '../src/errors.ts'
import { cameTrue, patienceOf } from './patience.ts'

export interface ConfirmDeadParts {
  readonly state: State
  readonly clock: Clock
  /** One quick ping; rejects only when it could not be sent. */
  readonly ping: (address: string, signal: AbortSignal) => Promise<boolean>
  readonly post: (event: Event) => void
}

/** A lost packet must not bury a living host. */
const PINGS = 3

/**
 * `confirm-dead HOST`: a person has seen that the host has stopped, and that is proof enough (R4). Refused while anything speaks
 * against it: its lease, a promise, an answer from its own address or from a VIP it would be giving.
 */
export async function confirmDead({ state, clock, ping, post }: ConfirmDeadParts, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ActionDocument> {
  const { host, dry_run, wait_ms } = args
  if (typeof host !== 'string' || !state.hosts.has(host)) throw new RingwardError('USAGE', `there is no host ${String(host)}; the group has ${state.order.join(', ')}`)
  const sign = livingSign(state, host, clock.boot_ms())
  if (sign !== undefined) throw new RingwardError('CONTROL_REFUSED', `${host} is not taken for dead: ${sign}`)
  const claims = claimsHeldBy(state, host)
  await refuseIfAnswering(state, host, claims.map(claim => claim.function), ping, signal)
  const act = (name: string): string => `give ${name} elsewhere: ${host} is dead by the operator's word`
  const document = (steps: readonly ActionStep[]): ActionDocument => ({ schema: 'ringward.action/1', at: clock.wall().toISOString(), verb: 'confirm-dead', dry_run: dry_run === true, steps })
  if (claims.length === 0) return document([{ host, act: 'nothing', outcome: 'unchanged', reason: `${host} gives nothing` }])
  if (dry_run === true) return document(claims.map(claim => ({ host, act: act(claim.function), outcome: 'planned' })))
  post({ event: 'confirmed-dead', target: host })
  const patience_ms = patienceOf(wait_ms)
  const isGivenAgain = (name: string, epoch: number): boolean => (state.functions.get(name)?.claim?.epoch ?? 0) > epoch && giverOf({ state }, name) !== undefined
  return document(await Promise.all(claims.map(async ({ function: name, epoch }): Promise<ActionStep> => {
    if (patience_ms === 0) return { host, act: act(name), outcome: 'done', reason: 'the ring chooses another host for it' }
    const given = await cameTrue(() => isGivenAgain(name, epoch), patience_ms, clock, signal)
    return given ? { host, act: act(name), outcome: 'done', reason: `given by ${giverOf({ state }, name)}` }
      : { host, act: act(name), outcome: 'failed', reason: 'it is not given again in time; "ringward incidents" and "ringward log" tell why' }
  })))
}

async function refuseIfAnswering(state: State, host: string, functions: readonly string[], ping: ConfirmDeadParts['ping'], signal: AbortSignal): Promise<void> {
  const asked = [{ what: host, address: serverOf(state, host).address }, ...functions.filter(name => state.order.includes(name)).map(name => ({ what: `the VIP of ${name}`, address: serverOf(state, name).vip }))]
  await Promise.all(asked.map(async ({ what, address }) => {
    const answers = await Promise.all(Array.from({ length: PINGS }, () => ping(address, signal)))
    if (answers.includes(true)) throw new RingwardError('CONTROL_REFUSED', `${host} is not taken for dead: ${what} (${address}) answers pings. Switch it off, and ask again`)
  }))
}
