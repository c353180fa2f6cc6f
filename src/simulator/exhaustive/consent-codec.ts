/** What the asking for consents (R8 by majority) remembers, as part of a host's text: see host-codec.ts. */
import { promiseGiven_ms } from '../../core/profile.ts'
import type { Consents, State } from '../../core/state.ts'
import { CONSENT_MS, NOW_MS } from './coarse-time.ts'
import { requestOf } from './kernel-host.ts'

/** Ages. `started_ms`: only for as long as promises of the former agent may stand, and be asked about; null is long ago. */
export type EncodedAsking = readonly [started_ms: number | null, consents: readonly (EncodedConsents | null)[]]
type EncodedConsents = readonly [asked_ms: readonly number[], free_ms: readonly (readonly [from: string, from_ms: number, until_ms: number])[]]

export function askingOf(state: State, functions: readonly string[]): EncodedAsking {
  const started_ms = NOW_MS - state.started_ms
  return [started_ms < promiseGiven_ms(state.profile) + CONSENT_MS ? started_ms : null, functions.map(name => consentsOf(state, name))]
}

/** What still counts: heard since this claim and this renewal, and not too long ago. */
function consentsOf(state: State, name: string): EncodedConsents | null {
  const heard = state.consents.get(name)
  const present = standing(state, name)
  if (!heard || !present || heard.epoch !== present.epoch || heard.generation !== present.generation || heard.sequence !== present.sequence) return null
  const counts = (at_ms: number): boolean => NOW_MS - at_ms <= CONSENT_MS
  const asked = heard.asked.filter(({ sent_ms }) => counts(sent_ms)).map(({ sent_ms }) => NOW_MS - sent_ms)
  const free = [...heard.free_ms].filter(([, { until_ms }]) => counts(until_ms)).map(([from, { from_ms, until_ms }]) => [from, Math.min(NOW_MS - from_ms, CONSENT_MS), NOW_MS - until_ms] as const)
  return asked.length + free.length === 0 ? null : [asked, free.sort()]
}

export function restoreAsking(state: State, functions: readonly string[], [started_ms, consents]: EncodedAsking, then_ms: number): void {
  if (started_ms !== null) Object.assign(state, { started_ms: then_ms - started_ms })
  functions.forEach((name, index) => {
    const present = standing(state, name)
    const encoded = consents[index]
    if (!present || !encoded) return
    const [asked, free] = encoded
    state.consents.set(name, {
      ...present, since_ms: NOW_MS, told_ms: NOW_MS, asked: asked.map(ago_ms => ({ request: requestOf(then_ms - ago_ms), sent_ms: then_ms - ago_ms })),
      free_ms: new Map(free.map(([from, from_ms, until_ms]) => [from, { from_ms: then_ms - from_ms, until_ms: then_ms - until_ms }])),
    })
  })
}

/** The claim that is to be superseded, and the last renewal of its holder. */
function standing({ functions, hosts }: State, name: string): Pick<Consents, 'epoch' | 'generation' | 'sequence'> | undefined {
  const claim = functions.get(name)?.claim
  const lease = claim && hosts.get(claim.holder)?.lease
  return lease && { epoch: claim.epoch, generation: lease.generation, sequence: lease.sequence }
}
