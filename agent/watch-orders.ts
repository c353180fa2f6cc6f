import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from '../src/core/command.ts'
import type { Event } from '../src/core/event.ts'
import type { Server } from '../src/core/inventory.ts'
import type { Clock } from '../src/edges/clock.ts'
import type { DialogueResult, PingWatch, Prober } from '../src/edges/probes/prober.ts'
import type { RemoteHand } from '../src/edges/remote-hand/remote-hand.ts'
import { within } from '../src/edges/within.ts'
import { reasonOf, RingwardError } from '../src/errors.ts'
import { handOnAppliance, type ApplianceParts } from './appliance-orders.ts'

type Of<Name extends Command['command']> = Extract<Command, { command: Name }>

export interface WatchParts {
  readonly clock: Clock
  readonly prober: Prober
  readonly hand: RemoteHand
  /** For targets without an agent. */
  readonly appliances: ApplianceParts
  readonly wake: (mac: string, signal: AbortSignal) => Promise<void>
  readonly setNeighbours: (names: readonly string[]) => void
  readonly serverOf: (name: string) => Server
  readonly interval_ms: number
  readonly signal: AbortSignal
  readonly post: (event: Event) => void
}

/** Network examination (protocol 5): three quick probes 100 ms apart. */
const QUICK_PINGS = 3
const QUICK_PING_GAP_MS = 100
const QUICK_PING_LIMIT_MS = 250
/** Two lost pings are told apart from one; below 200 ms ping needs privileges and gains nothing. */
const SHORTEST_PING_INTERVAL_MS = 200
const WAKE_LIMIT_MS = 3_000

type DaemonAnswer = Pick<DialogueResult, 'verdict' | 'detail' | 'timed_out' | 'slow'> & { readonly daemon: string }

/** Twice a round: the second loss is certain before the next round ends. */
export function pingInterval_ms({ interval_ms }: { readonly interval_ms: number }): number {
  return Math.max(SHORTEST_PING_INTERVAL_MS, interval_ms / 2)
}

/** The core's orders towards its targets: pings, dialogues, remote hands, wake-up calls. */
export class WatchOrders {
  private readonly parts: WatchParts
  private readonly pings = new Map<string, { readonly ping: PingWatch; readonly address: string }>()

  constructor(parts: WatchParts) {
    this.parts = parts
  }

  /** One long-lived ping per target, heartbeats with the same hosts. */
  watch({ targets }: Of<'watch'>): void {
    const { prober, post, serverOf, setNeighbours } = this.parts
    setNeighbours(targets)
    for (const [name, { ping, address }] of this.pings) {
      if (targets.includes(name) && serverOf(name).address === address) continue
      this.pings.delete(name)
      void ping.stop()
    }
    const interval_ms = pingInterval_ms(this.parts)
    for (const target of targets) {
      if (this.pings.has(target)) continue
      const { address } = serverOf(target)
      const ping = prober.watch(address, interval_ms, {
        onAnswer: () => post({ event: 'ping', target, answered: true }),
        onMiss: () => post({ event: 'ping', target, answered: false }),
      })
      this.pings.set(target, { ping, address })
    }
  }

  /** Another configuration has been taken up: targets may have other addresses. */
  readdress(): void {
    this.watch({ command: 'watch', targets: [...this.pings.keys()] })
  }

  async examine({ target }: Of<'examine'>): Promise<void> {
    const { serverOf, signal, post } = this.parts
    const answered = await this.answersOne(serverOf(target).address)
    if (!signal.aborted) post({ event: 'examined', target, answered })
  }

  /** Asked once each interval while this host hears nobody. A gateway that was taken out of the configuration meanwhile is asked no more. */
  async gateway(address: string | undefined): Promise<void> {
    const { signal, post } = this.parts
    if (address === undefined) return
    const answered = await this.answersOne(address)
    if (!signal.aborted) post({ event: 'gateway', answered })
  }

  /** Three packets, 100 ms apart: one answer is enough. */
  private async answersOne(address: string): Promise<boolean> {
    const { prober, signal } = this.parts
    const probes = Array.from({ length: QUICK_PINGS }, async (_, index) => {
      if (index > 0) await sleep(index * QUICK_PING_GAP_MS, undefined, { signal })
      if (!await prober.ping(address, QUICK_PING_LIMIT_MS, signal)) throw new Error('no answer')
    })
    return Promise.any(probes).then(() => true, () => false)
  }

  /** All dialogues at once; the worst daemon speaks for the target. */
  async probe({ target, where }: Of<'probe'>): Promise<void> {
    const { prober, serverOf, signal, post, clock } = this.parts
    const started_ms = clock.boot_ms()
    const { address: own_address, vip, daemons } = serverOf(target)
    const address = where === 'vip' ? vip : own_address
    const results = await Promise.all(daemons.map(async ({ name, probe }): Promise<DaemonAnswer> => {
      try {
        return { daemon: name, ...await prober.dialogue(address, probe, signal) }
      } catch (error) {
        return { daemon: name, verdict: 'NG', detail: reasonOf(error), timed_out: false, slow: false }
      }
    }))
    if (signal.aborted) return
    const bad = results.filter(result => result.verdict !== 'OK')
    // A refusal says more than a silence, which may be this host's own, or that of a server with too much to do.
    const { daemon, verdict, detail, timed_out, slow } = bad.find(result => !result.timed_out) ?? bad.find(result => !result.slow) ?? bad[0] ?? results[0] ?? { daemon: '', verdict: 'OK', detail: '', timed_out: false, slow: false }
    post({ event: 'probed', target, where, daemon, verdict, detail, timed_out, slow, started_ms })
  }

  async hand(order: Of<'hand'>): Promise<void> {
    const { hand, appliances, serverOf, signal, post } = this.parts
    const { target, verb, args, limit_ms } = order
    const { agent, address, ssh_host_key } = serverOf(target)
    if (!agent) return post(await handOnAppliance(appliances, serverOf(target), order, signal))
    if (verb === 'look' || verb === 'give') throw new RingwardError('INTERNAL', `${verb} is for servers without an agent, and ${target} has one`)
    const { ok, detail } = await hand.run({ name: target, address, ssh_host_key }, verb, args, limit_ms, signal)
    post({ event: 'hand', target, verb, ok, detail })
  }

  async wake({ target }: Of<'wake'>): Promise<void> {
    const { serverOf, signal, post } = this.parts
    try {
      await within(WAKE_LIMIT_MS, [signal], limited => this.parts.wake(serverOf(target).mac, limited))
      post({ event: 'woken', target, ok: true, detail: '' })
    } catch (error) {
      post({ event: 'woken', target, ok: false, detail: reasonOf(error) })
    }
  }
}
