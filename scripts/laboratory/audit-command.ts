import type { Command } from 'commander'
import { audit, type AuditReport } from './audit.ts'
import { durationMs } from './durations.ts'
import type { Lab } from './lab.ts'

interface AuditOptions { readonly json?: boolean; readonly settled?: boolean; readonly watch?: string; readonly for: string }

/** `lab audit`: exit 1 on any violation. */
export function auditCommand(command: Command, open: (command: Command) => Promise<Lab>, say: (text: string) => unknown): void {
  command
    .option('--json', 'as ringward.audit/1')
    .option('--settled', 'also demand the policy: every function native on its own host, nothing left over')
    .option('--watch <period>', 'sample every VIP that often first (addresses in the hosts, ARP answers)')
    .option('--for <duration>', 'how long to watch; ^C ends it early', '60s')
    .action(async (options: AuditOptions, self: Command) => {
      const over = new AbortController()
      process.once('SIGINT', () => over.abort())
      process.once('SIGTERM', () => over.abort())
      const report = await audit(await open(self), {
        settled: options.settled === true,
        ...(options.watch === undefined ? {} : { watch: { every_ms: durationMs(options.watch), for_ms: durationMs(options.for), signal: over.signal } }),
      })
      say(options.json ? JSON.stringify(report) : render(report))
      process.exitCode = report.ok ? 0 : 1
    })
}

function render(report: AuditReport): string {
  return [
    ...report.functions.map(each => `${each.name.padEnd(8)} ${each.vip}  on ${each.held_by.join(', ') || 'no host'}; answered by ${each.answered_by.join(', ') || 'nobody'}; ${each.claim ? `epoch ${each.claim.epoch} of ${each.claim.holder}, ${each.claim.kind}${each.claim.released === null ? '' : `, released (${each.claim.released})`}` : 'never claimed'}`),
    ...report.virtual_servers.map(each => `virtual server ${each.name} on ${each.host} (process ${each.pid})`),
    ...(report.watched ? [`watched ${report.watched.for_ms} ms: ${report.watched.samples} samples, ${report.watched.answers} answers, longest gap ${report.watched.longest_gap_ms} ms`] : []),
    ...report.violations.map(each => `VIOLATION ${each.rule} ${each.subject}: ${each.text}${each.at === undefined ? '' : ` (from ${each.at}, for ${each.for_ms} ms)`}`),
    report.ok ? 'clean' : `${report.violations.length} violations`,
  ].join('\n')
}
