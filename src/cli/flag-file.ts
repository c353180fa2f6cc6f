import { access, mkdir, unlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ActionStep } from '../control/documents.ts'
import { RingwardError } from '../errors.ts'

/**
 * Sets or takes away this host's flag file (thesis 5.2.3). Only its being there counts; the text is for people.
 * Rejects with PERMISSION for anybody but root.
 */
export async function flagStep(path: string, on: boolean, dry_run: boolean, at: string): Promise<ActionStep> {
  const act = on ? `set the flag file ${path}` : `take away the flag file ${path}`
  const host = 'this host'
  const is_on = await exists(path)
  if (is_on === on) return { host, act, outcome: 'unchanged', reason: on ? 'it is set already' : 'it is not set' }
  if (dry_run) return { host, act, outcome: 'planned' }
  try {
    if (on) {
      await mkdir(dirname(path), { recursive: true, mode: 0o755 })
      await writeFile(path, `management is on since ${at}; ringward flag off ends it\n`, { flag: 'wx', mode: 0o644 })
    } else {
      await unlink(path)
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    // Somebody else was faster: the wish is fulfilled all the same.
    if (code === 'EEXIST' || code === 'ENOENT') return { host, act, outcome: 'unchanged', reason: 'another command was faster' }
    if (code === 'EACCES' || code === 'EPERM') throw new RingwardError('PERMISSION', `the flag file ${path} belongs to root; run the command as root`, { cause: error })
    throw error
  }
  return { host, act, outcome: 'done' }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false)
}
