import type { ProbeDialogue } from '../../core/inventory.ts'
import type { Clock } from '../clock.ts'
import { speakDialogue } from './dialogue.ts'
import { SystemPingWatch } from './ping-watch.ts'
import type { DialogueResult, PingWatch, Prober } from './prober.ts'
import { quickPing } from './quick-ping.ts'

export interface SystemProberOptions {
  readonly clock: Clock
  /** A probe cannot be made for a reason of this host (ping missing, killed, hung). */
  onProblem(text: string): void
}

/** The real prober: ping as a program, service dialogues over TCP or UDP. */
export class SystemProber implements Prober {
  private readonly options: SystemProberOptions
  private readonly watches = new Set<PingWatch>()
  /** Ends quick probes and dialogues still under way at stop. */
  private readonly underWay = new Map<AbortController, Promise<unknown>>()

  constructor(options: SystemProberOptions) {
    this.options = options
  }

  watch(address: string, interval_ms: number, listener: { onAnswer(rtt_ms: number): void; onMiss(): void }): PingWatch {
    const watch = new SystemPingWatch({
      address, interval_ms, clock: this.options.clock,
      onAnswer: rtt_ms => listener.onAnswer(rtt_ms),
      onMiss: () => listener.onMiss(),
      onProblem: text => this.options.onProblem(text),
    })
    const watches = this.watches.add(watch)
    return {
      get last_answer_ms() { return watch.last_answer_ms },
      stop: async () => {
        await watch.stop()
        watches.delete(watch)
      },
    }
  }

  ping(address: string, limit_ms: number, signal: AbortSignal): Promise<boolean> {
    return this.owned(signal, own => quickPing(address, limit_ms, own))
  }

  dialogue(address: string, probe: ProbeDialogue, signal: AbortSignal): Promise<DialogueResult> {
    return this.owned(signal, own => speakDialogue(address, probe, this.options.clock, own))
  }

  /** Calls off what is under way (it rejects with ABORTED) and reaps every ping. */
  async stop(): Promise<void> {
    const pending = [...this.underWay.values()]
    for (const controller of this.underWay.keys()) controller.abort()
    await Promise.allSettled([...pending, ...[...this.watches].map(watch => watch.stop())])
    this.watches.clear()
  }

  private async owned<T>(signal: AbortSignal, probe: (own: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    const forward = (): void => controller.abort()
    if (signal.aborted) forward()
    signal.addEventListener('abort', forward, { once: true })
    const running = probe(controller.signal)
    this.underWay.set(controller, running)
    try {
      return await running
    } finally {
      this.underWay.delete(controller)
      signal.removeEventListener('abort', forward)
    }
  }
}
