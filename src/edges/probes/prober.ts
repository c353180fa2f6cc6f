import type { ProbeDialogue } from '../../core/inventory.ts'

/** `ERROR`: a wrong answer; `NG`: no answer within the limit, or no connection (thesis 2.2). */
export type ProbeVerdict = 'OK' | 'ERROR' | 'NG'

export interface DialogueResult {
  readonly verdict: ProbeVerdict
  /** What was seen, short, for the log. */
  readonly detail: string
  readonly duration_ms: number
  /** Not OK because the limit passed, by this host's clock: nothing was refused, and no wrong answer came to its end. */
  readonly timed_out: boolean
  /** It passed though the connection was taken: overloaded, or hung, but there. Over UDP nobody can tell. */
  readonly slow: boolean
}

export type TellVerdict = (verdict: ProbeVerdict, detail: string, timed_out?: boolean, slow?: boolean) => void

/** One long-lived `ping` per target (0.1 ms a probe; a process for each would take longer than the answer). */
export interface PingWatch {
  /** Boot-clock time of the last answer, or undefined before the first. */
  readonly last_answer_ms: number | undefined
  stop(): Promise<void>
}

export interface Prober {
  /** Starts the long-lived ping; `onMiss`/`onAnswer` are called for each probe. */
  watch(address: string, interval_ms: number, listener: { onAnswer(rtt_ms: number): void; onMiss(): void }): PingWatch
  /** One quick ping, for the network examination. */
  ping(address: string, limit_ms: number, signal: AbortSignal): Promise<boolean>
  dialogue(address: string, probe: ProbeDialogue, signal: AbortSignal): Promise<DialogueResult>
  stop(): Promise<void>
}
