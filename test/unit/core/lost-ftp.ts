import type { GivingStage } from '../../../src/core/message.ts'
import { Harness } from './harness.ts'

export const ROOMY = { memory_kb: 7e6, cpu_idle_percent: 99, network_kb_per_s: 1 }
export const SMALL = { memory_kb: 100_000, cpu_idle_percent: 5, network_kb_per_s: 1 }

/** login is P1 of ftp; web1 is by far the best host, web2 the next. */
export function lostFtp(): Harness {
  const harness = Harness.settled('login')
  harness.host('web1').load = ROOMY
  harness.host('web2').load = { ...ROOMY, memory_kb: 6e6 }
  harness.run(1_100)
  harness.die('ftp')
  harness.runUntil(() => harness.sent('nominate').length > 0, 5_000)
  return harness
}

export const nominees = (harness: Harness): string[] => [...new Set(harness.sent('nominate').map(({ to }) => to))]
export const progress = (harness: Harness, from: string, stage: GivingStage | 'declined' | 'busy' | 'failed', detail = ''): void =>
  void harness.message(from, { kind: 'progress', incident: 'i', function: 'ftp', epoch: 1, stage, detail })
