import type { Command } from 'commander'
import { join } from 'node:path'
import { placesOf } from '../../configuration/places.ts'
import type { LogDocument } from '../../control/documents.ts'
import { FallbackLogFiles } from '../../edges/log/fallback-log-files.ts'
import { INCIDENTS_FOLDER, IncidentStore } from '../../edges/log/incident-store.ts'
import { localLogFiles, sharedLogFiles } from '../../edges/log/log-files.ts'
import { formatLogLine, type LogEntry } from '../../edges/log/log-line.ts'
import { LogTail } from '../../edges/log/log-tail.ts'
import type { Share } from '../../edges/share/share.ts'
import { RingwardError } from '../../errors.ts'
import { pause, type CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { jsonOption } from '../options.ts'
import { parseSince } from '../since.ts'

interface LogOptions {
  readonly follow?: true
  readonly since?: string
  readonly host?: string
  readonly incident?: string
  readonly json?: true
}

const FOLLOW_MS = 300
/** Who follows wants to see what comes, and a little of how it came to that. */
const FOLLOW_SINCE = '10m'

export function logCommand(program: Command, context: CliContext): void {
  program.command('log').description('print the logs of all hosts as one, in the order of time; `__` marks background jobs')
    .option('-f, --follow', `go on with what comes, until Ctrl-C; begins ${FOLLOW_SINCE} back unless --since says otherwise`)
    .option('--since <time>', 'from then on: 10m, 2h, 21:03 or 2026-11-20T21:03:48Z (UTC)')
    .option('--host <host>', 'only the lines of this host')
    .option('--incident <incident>', 'only the lines of this incident: its id, or its number, 1 for the newest')
    .addOption(jsonOption('print one JSON object a line'))
    .addHelpText('after', exitCodesHelp([0, 1, 2], { 0: 'fine; if the shared area is silent, a note on stderr says so', 2: 'the command line is not valid, or there is no such incident' }))
    .action((options: LogOptions) => printLog(context, options))
}

async function printLog(context: CliContext, options: LogOptions): Promise<void> {
  const now = context.clock.wall()
  const since = options.since === undefined ? options.follow ? parseSince(FOLLOW_SINCE, now) : '' : parseSince(options.since, now)
  const { host, share, reason } = await context.openShare()
  try {
    if (!share) context.error(`only the log of this host: ${reason ?? 'it has no shared area'}\n`)
    const files = new FallbackLogFiles(share && sharedLogFiles(share), localLogFiles(placesOf().log, host), (silent, why) => {
      context.error(silent ? `only the log of this host: ${why}\n` : `all logs again: ${why}\n`)
    })
    const incident = options.incident === undefined ? undefined : await chosenIncident(context, options.incident, share)
    const tail = new LogTail({ files, since, ...options.host === undefined ? {} : { host: options.host } })
    const print = (entry: LogEntry) => {
      if (incident === undefined || entry.incident === incident) context.out(options.json ? jsonLine(entry) : textLine(context, entry))
    }
    for await (const entry of tail.history()) {
      if (context.signal.aborted) return
      print(entry)
    }
    while (options.follow && !context.signal.aborted) {
      for (const entry of await tail.poll()) print(entry)
      await pause(FOLLOW_MS, context.signal)
    }
  } finally {
    await share?.close()
  }
}

/** A number counts in the list that `incidents` shows; the log can be read where no agent runs, so the records are looked at here. */
async function chosenIncident(context: CliContext, wanted: string, share: Share | undefined): Promise<string> {
  if (!/^[1-9]\d{0,5}$/.test(wanted)) return wanted
  const store = new IncidentStore({ directory: join(placesOf().state, INCIDENTS_FOLDER), clock: context.clock, ...share ? { share } : {} })
  const { incidents } = await store.document()
  const id = incidents[Number(wanted) - 1]?.id
  if (id === undefined) throw new RingwardError('NOT_FOUND', `there is no incident ${wanted}; ${incidents.length} are recorded`)
  return id
}

function textLine(context: CliContext, entry: LogEntry): string {
  const line = formatLogLine(entry)
  const tone = entry.level === 'error' ? 'bad' : entry.level === 'warn' ? 'warning' : undefined
  return `${tone ? context.style(tone, line) : line}\n`
}

function jsonLine(entry: LogEntry): string {
  const document: LogDocument = { schema: 'ringward.log/1', ...entry }
  return `${JSON.stringify(document)}\n`
}
