import type { Event } from '../src/core/event.ts'
import type { GuardNotice } from '../src/guard/guard-protocol.ts'

/** The guard's words as the core's events. */
export function onGuardNotice(notice: GuardNotice, post: (event: Event) => void, problem: (text: string) => void): void {
  switch (notice.notice) {
    case 'lease':
      if (notice.status.deadline_ms > 0) post({ event: 'lease', generation: notice.status.generation, sequence: notice.status.sequence, deadline_ms: notice.status.deadline_ms, took_ms: notice.status.renew_latency_ms, ...notice.status.electorate ? { electorate: notice.status.electorate } : {}, ...notice.status.may_miss === undefined ? {} : { may_miss: notice.status.may_miss } })
      return
    case 'lost': return post({ event: 'lease-lost', generation: notice.generation, stopped: notice.stopped })
    case 'barred': return post({ event: 'taken-off', function: notice.function, epoch: notice.epoch })
    case 'problem': return problem(`guard: ${notice.text}`)
  }
}
