/**
 * The Executer (thesis 5.2.3): the small program on every host, run from boot by systemd. It watches the flag file, fetches and verifies
 * program and configuration, runs guard and agent from the local copy while the flag stands, and watches the host's own network service.
 */
import { mkdir } from 'node:fs/promises'
import { run } from '../src/edges/command.ts'
import { SystemClock } from '../src/edges/clock.ts'
import { ShareClient } from '../src/edges/share/share-client.ts'
import { reasonOf } from '../src/errors.ts'
import { FlagWatch } from './flag-watch.ts'
import { readHostSettings } from './host-settings.ts'
import { standardLog } from './log.ts'
import { Management } from './management.ts'
import { NetworkWatch } from './network-service.ts'
import { executerPlaces, flagFolder } from './places.ts'

const places = executerPlaces(process.env, import.meta.dirname)
const clock = new SystemClock()
const log = standardLog(process.env['JOURNAL_STREAM'] !== undefined, () => clock.wall(), text => process.stdout.write(text))
const stopped = new AbortController()
// A log that nobody takes must not end management.
process.stdout.on('error', () => undefined)

/** Its own share helper writes nothing; the name only says whose it is. */
const HELPER_NAME = 'executer'

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    log.info(`received ${signal}`)
    stopped.abort()
  })
}

/** The unit named in host.toml; a file that cannot be used is complained about where management is started. */
async function networkService(): Promise<string | undefined> {
  return readHostSettings(places.host_toml).then(settings => settings.network_service, () => undefined)
}

async function main(): Promise<void> {
  log.info(`ringward Executer ${process.env['RINGWARD_VERSION'] ?? 'from source'} on Node ${process.versions.node}, flag file ${places.flag}`)
  const flag = new FlagWatch(places.flag)
  const boot_ms = (): number => clock.boot_ms()
  const network = new NetworkWatch({ log, boot_ms, systemctl: (args, limit_ms, signal) => run('systemctl', args, { limit_ms, signal }) })
  const management = new Management({
    places, log, flag, boot_ms, wall: () => clock.wall(), under_systemd: process.env['INVOCATION_ID'] !== undefined,
    openShare: (share, quiet) => new ShareClient({
      directory: share, host: HELPER_NAME, helper: [process.execPath, places.share_helper], clock, ...quiet ? {} : { onProblem: (text: string) => log.warn(`shared area: ${text}`) },
    }),
  })
  await mkdir(flagFolder(places), { recursive: true, mode: 0o755 })
  await flag.start()
  try {
    await Promise.all([management.run(stopped.signal), network.run(networkService, stopped.signal)])
  } finally {
    flag.close()
  }
}

await main().catch((error: unknown) => {
  // systemd starts it again, after it has ended what is left of the children (KillMode).
  log.warn(`the Executer ends: ${reasonOf(error)}`)
  process.exit(1)
})
