import { run } from './command.ts'

/** systemd's manager answers in milliseconds, also while the system goes down; a hanging one must not hold the stop. */
const QUESTION_LIMIT_MS = 1_000
/** Units whose start job means that the system comes back by itself. */
const COMING_BACK = /\b(reboot|soft-reboot|kexec)\.target\b/

/** Whether the whole system is going down, and how; undefined when only this service is stopped. */
export async function systemEnding(signal?: AbortSignal): Promise<'shutdown' | 'reboot' | undefined> {
  const options = { limit_ms: QUESTION_LIMIT_MS, ...(signal ? { signal } : {}) }
  const { stdout: state } = await run('systemctl', ['is-system-running'], options)
  if (state.trim() !== 'stopping') return undefined
  const { stdout: jobs } = await run('systemctl', ['list-jobs', '--no-legend', '--no-pager'], options)
  return COMING_BACK.test(jobs) ? 'reboot' : 'shutdown'
}
