import type { Command } from 'commander'
import { resolveTarget, startClient, startClients, type ClientReport, type ClientWishes } from './client.ts'
import { durationMs } from './durations.ts'
import { LabError, type Lab } from './lab.ts'

interface ClientOptions { readonly every: string; readonly for: string; readonly limit: string; readonly json?: boolean }

/** `lab client`: of one VIP with each attempt as it happens, of several only the reports. */
export function clientCommand(command: Command, open: (command: Command) => Promise<Lab>, say: (text: string) => void): void {
  command
    .option('--every <duration>', 'period', '100ms')
    .option('--for <duration>', 'how long; ^C ends it early', '60s')
    .option('--limit <duration>', 'longest dialogue', '1s')
    .option('--json', 'only the report, as ringward.client/1; of several a line each')
    .action(async (targets: string, port: string | undefined, options: ClientOptions, self: Command) => {
      const lab = await open(self)
      const wishes = targets.split(',').filter(Boolean).map(target => wishesFor(lab, target, port, options))
      const [only] = wishes
      const clients = wishes.length === 1 && only ? alone(lab, only, options.json ? undefined : say) : startClients(lab, wishes)
      process.once('SIGINT', () => clients.stop())
      process.once('SIGTERM', () => clients.stop())
      for (const report of await clients.reports) say(options.json ? JSON.stringify(report) : renderReport(lab, report))
    })
}

function alone(lab: Lab, wishes: ClientWishes, line: ((text: string) => void) | undefined): ReturnType<typeof startClients> {
  const { stop, report } = startClient(lab, wishes, line)
  return { stop, reports: report.then(one => [one]) }
}

/** The port may be left out for a host of the lab: its own service is meant. */
function wishesFor(lab: Lab, target: string, port: string | undefined, options: ClientOptions): ClientWishes {
  const address = resolveTarget(lab, target)
  const own = lab.hosts.find(host => host.name === target)?.port
  if (port === undefined && own === undefined) throw new LabError(`which port of ${target}? for example "lab client ${target} 80"`, 2)
  return { address, port: Number(port ?? own), every_ms: durationMs(options.every), for_ms: durationMs(options.for), limit_ms: durationMs(options.limit) }
}

function renderReport(lab: Lab, report: ClientReport): string {
  return [
    `${lab.hosts.find(host => host.vip === report.address)?.name ?? report.address}: ${report.attempts} attempts, ${report.failed} bad, longest cut ${report.longest_ms} ms`,
    ...report.cuts.map(cut => `cut ${cut.start} to ${cut.end ?? '(not over)'}: ${cut.ms} ms, ${cut.reason}`),
    JSON.stringify(report),
  ].join('\n')
}
