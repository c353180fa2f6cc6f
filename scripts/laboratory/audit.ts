import { setTimeout as sleep } from 'node:timers/promises'
import { watchArp, type ArpAnswer } from './arp-watch.ts'
import { leftOvers, lookAtHost, newestClaim, nameOfMac, type HostSeen } from './evidence.ts'
import type { HostPlan } from './hosts.ts'
import type { Lab } from './lab.ts'
import { virtualServerOf } from './names.ts'
import { VipWatch } from './vip-watch.ts'

/** A broken invariant, named as in the protocol (S1 one giver, S2 one runner, S3 no stale hand, S7 records, L3 back to policy). */
export interface Violation {
  readonly rule: 'S1' | 'S2' | 'S3' | 'S7' | 'L1' | 'L3' | 'processes'
  readonly subject: string
  readonly text: string
  /** When it was seen first, and how long: only from watching. */
  readonly at?: string
  readonly for_ms?: number
}

export interface FunctionSeen {
  readonly name: string
  readonly vip: string
  /** Hosts with the VIP on an interface. */
  readonly held_by: readonly string[]
  /** Who answered ARP for it: a host, or a virtual server and where it runs. */
  readonly answered_by: readonly string[]
  readonly claim: { readonly epoch: number; readonly holder: string; readonly kind: string; readonly released: string | null } | null
}

export interface AuditReport {
  readonly schema: 'ringward.audit/1'
  readonly ok: boolean
  readonly violations: readonly Violation[]
  readonly functions: readonly FunctionSeen[]
  readonly virtual_servers: readonly { readonly name: string; readonly host: string; readonly pid: number }[]
  /** Present when it watched: how much was seen. */
  readonly watched?: { readonly for_ms: number; readonly samples: number; readonly answers: number; readonly longest_gap_ms: number }
}

export interface AuditWishes {
  /** Also demand the layout of the policy: every function native on its own host, nothing left over. */
  readonly settled: boolean
  /** Watch the VIPs before the final look. */
  readonly watch?: { readonly every_ms: number; readonly for_ms: number; readonly signal?: AbortSignal }
}

/** Answers to a question come within a millisecond on this net; a loaded machine gets more. */
const ARP_PERIOD_MS = 50
const ARP_LOOK_MS = 350

/**
 * Looks at the lab from outside: addresses in the hosts' namespaces, answers to ARP, QEMU processes, the records behind the
 * shared area. With `watch` the VIPs are sampled all the time before that.
 */
export async function audit(lab: Lab, wishes: AuditWishes): Promise<AuditReport> {
  const watching = wishes.watch ? await watch(lab, wishes.watch) : undefined
  const answers: ArpAnswer[] = []
  const asking = await watchArp(lab, lab.hosts.map(host => host.vip), ARP_PERIOD_MS, answer => answers.push(answer))
  await sleep(ARP_LOOK_MS)
  await asking.stop()
  const hosts = lab.hosts.map(host => lookAtHost(lab, host.name))
  const functions = lab.hosts.map(host => lookAtFunction(lab, host, hosts, answers))
  const violations = [
    ...(watching?.violations ?? []),
    ...functions.flatMap(each => judgeFunction(each, hosts, wishes.settled)),
    ...judgeMachines(lab, hosts, functions, wishes.settled), ...judgeRecords(lab), ...judgeProcesses(hosts),
  ]
  return {
    schema: 'ringward.audit/1', ok: violations.length === 0, violations, functions,
    virtual_servers: hosts.flatMap(host => host.machines.map(({ name, pid }) => ({ name, host: host.name, pid }))),
    ...(watching ? { watched: watching.watched } : {}),
  }
}

async function watch(lab: Lab, wishes: NonNullable<AuditWishes['watch']>) {
  const vips = new VipWatch(lab, wishes.every_ms)
  await vips.start()
  const began = performance.now()
  await sleep(wishes.for_ms, undefined, wishes.signal ? { signal: wishes.signal } : {}).catch(() => undefined)
  const violations = await vips.stop()
  return { violations, watched: { for_ms: Math.round(performance.now() - began), ...vips.seen } }
}

function lookAtFunction(lab: Lab, host: HostPlan, hosts: readonly HostSeen[], answers: readonly ArpAnswer[]): FunctionSeen {
  const macs = [...new Set(answers.filter(answer => answer.address === host.vip).map(answer => answer.mac))]
  const seen = newestClaim(lab, host.name)
  return {
    name: host.name, vip: host.vip,
    held_by: hosts.filter(each => each.addresses.includes(host.vip)).map(each => each.name),
    answered_by: macs.map(mac => nameOfMac(lab, hosts, mac)),
    claim: seen ? { epoch: seen.claim.epoch, holder: seen.claim.holder, kind: seen.claim.kind, released: seen.release?.how ?? null } : null,
  }
}

function judgeFunction(seen: FunctionSeen, hosts: readonly HostSeen[], settled: boolean): Violation[] {
  const { name, vip, held_by, answered_by, claim } = seen
  const found: Violation[] = []
  const add = (rule: Violation['rule'], text: string) => found.push({ rule, subject: name, text })
  const givers = [...new Set([...held_by, ...answered_by])]
  if (givers.length > 1) add('S1', `VIP ${vip} is held by ${held_by.join(', ') || 'nobody'} and answered for by ${answered_by.join(', ') || 'nobody'}`)
  for (const holder of held_by) {
    if (!claim) add('S3', `${holder} holds VIP ${vip}, which was never claimed`)
    else if (claim.released !== null) add('S3', `${holder} holds VIP ${vip}, but epoch ${claim.epoch} was released (${claim.released})`)
    else if (claim.holder !== holder) add('S3', `${holder} holds VIP ${vip}, but epoch ${claim.epoch} is held by ${claim.holder}`)
    else if (claim.kind !== 'native') add('S3', `${holder} itself holds VIP ${vip}, but epoch ${claim.epoch} is for a virtual server`)
  }
  for (const giver of answered_by.filter(each => each.includes(' on '))) {
    const where = giver.slice(giver.indexOf(' on ') + 4)
    if (!claim || claim.released !== null || claim.holder !== where || claim.kind !== 'virtual') add('S3', `${giver} answers for VIP ${vip} without a claim in force`)
  }
  if (!settled) return found
  if (givers.length === 0) add('L1', `nobody gives ${name} (VIP ${vip})`)
  if (!claim) add('L3', `${name} was never claimed`)
  else if (claim.holder !== name || claim.kind !== 'native' || claim.released !== null) {
    add('L3', `${name} is not back to policy: epoch ${claim.epoch} of ${claim.holder}, ${claim.kind}${claim.released === null ? '' : `, released (${claim.released})`}`)
  }
  if (!hosts.find(host => host.name === name)?.on) add('L3', `${name} has no power`)
  return found
}

function judgeMachines(lab: Lab, hosts: readonly HostSeen[], functions: readonly FunctionSeen[], settled: boolean): Violation[] {
  const machines = hosts.flatMap(host => host.machines)
  const found: Violation[] = []
  for (const host of lab.hosts) {
    const name = virtualServerOf(host.name)
    const places = machines.filter(machine => machine.name === name)
    // Paused on the next host while it still serves on another is a preparation; what counts is who answers (S1).
    const twice = places.find((place, index) => places.findIndex(other => other.host === place.host) !== index)
    if (twice) found.push({ rule: 'S2', subject: name, text: `${name} runs twice on ${twice.host}` })
    const claim = functions.find(each => each.name === host.name)?.claim
    const inForce = claim?.kind === 'virtual' && claim.released === null
    for (const place of places) {
      if (settled && !(inForce && claim.holder === place.host)) found.push({ rule: 'L3', subject: name, text: `${name} is left over on ${place.host} (process ${place.pid})` })
    }
  }
  for (const machine of machines) {
    if (!lab.hosts.some(host => virtualServerOf(host.name) === machine.name)) found.push({ rule: 'S2', subject: machine.name, text: `an unknown virtual server runs on ${machine.host}` })
  }
  return found
}

function judgeRecords(lab: Lab): Violation[] {
  return [
    ...lab.hosts.flatMap((host): Violation[] => newestClaim(lab, host.name)?.gap ? [{ rule: 'S7', subject: host.name, text: `the claims of ${host.name} are not 1, 2, 3, …` }] : []),
    ...leftOvers(lab).map((file): Violation => ({ rule: 'L3', subject: file, text: `${file} is left over on the shared area` })),
  ]
}

/** Two agents or guards on one host would both act. */
function judgeProcesses(hosts: readonly HostSeen[]): Violation[] {
  return hosts.flatMap(host => (['agent', 'guard', 'executer'] as const)
    .filter(program => (host.programs[program] ?? 0) > 1)
    .map((program): Violation => ({ rule: 'processes', subject: host.name, text: `${host.programs[program]} processes of the ${program} run on ${host.name}` })))
}
