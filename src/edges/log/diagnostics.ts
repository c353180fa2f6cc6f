import { pino, type Logger } from 'pino'

export interface DiagnosticsOptions {
  /** The process: `agent`, `guard`, `executer`, … */
  readonly name: string
  readonly host?: string
  readonly level?: string
  /** File descriptor; 1 is what the service manager keeps in its journal. */
  readonly descriptor?: number
}

/** Names under which a secret could reach a log: keys of the ring, of the hand and of the identity, and anything like them. */
const SECRET_KEYS = ['psk', 'ring_psk', 'private_key', 'privateKey', 'hand_key', 'identity_key', 'password', 'secret', 'token']
const REDACTED_PATHS = SECRET_KEYS.flatMap(key => [key, `*.${key}`, `*.*.${key}`])

/**
 * What a process says of itself, as JSON lines for the journal; the system log of the ring is another thing (LocalLog).
 * Synchronous and without worker threads: the last words before a crash are the ones that matter.
 */
export function createDiagnostics(options: DiagnosticsOptions): Logger {
  return pino({
    name: options.name,
    level: options.level ?? 'info',
    base: { pid: process.pid, ...(options.host === undefined ? {} : { host: options.host }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
    redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
  }, pino.destination({ dest: options.descriptor ?? 1, sync: true }))
}
