import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { whenAbsent } from '../../errors.ts'
import type { Share } from '../share/share.ts'
import { LINE_LIMIT_BYTES, LOG_FILE_NAME, parseLogLine } from './log-line.ts'
import type { LogFiles } from './log-reader.ts'

/** A person waits, and the command line promises an answer within a second, its own start (0.15 s) included. */
export const LOG_SHARE_LIMIT_MS = 700

/** Every host's log in the shared area, `log/<host>/<date>.log`. Rejects with SHARE_TIMEOUT or SHARE_ERROR. */
export function sharedLogFiles(share: Pick<Share, 'list' | 'readAt'>, deadline_ms = LOG_SHARE_LIMIT_MS): LogFiles {
  return {
    hosts: () => share.list('log', { deadline_ms }),
    list: host => share.list(`log/${host}`, { deadline_ms }),
    readAt: (host, name, offset, limit) => share.readAt(`log/${host}/${name}`, offset, limit, { deadline_ms }),
  }
}

/** This host's own log on its own disk; of other hosts it knows nothing. */
export function localLogFiles(directory: string, host: string): LogFiles {
  return {
    hosts: () => Promise.resolve([host]),
    list: async of => of === host ? await readdir(directory).catch(whenAbsent([])) : [],
    readAt: async (of, name, offset, limit) => of === host ? await readFileAt(join(directory, name), offset, limit) : Buffer.alloc(0),
  }
}

async function readFileAt(path: string, offset: number, limit: number): Promise<Buffer> {
  // Its retention may have removed it since it was listed.
  const file = await open(path, 'r').catch(whenAbsent(undefined))
  if (!file) return Buffer.alloc(0)
  try {
    const chunk = Buffer.alloc(limit)
    const { bytesRead } = await file.read(chunk, 0, limit, offset)
    return chunk.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The host that wrote the newest local log, undefined when there is none: it knows its name when nothing else does. */
export async function lastLoggedHost(directory: string): Promise<string | undefined> {
  const names = (await readdir(directory).catch(() => [])).filter(name => LOG_FILE_NAME.test(name)).sort()
  const newest = names.at(-1)
  if (newest === undefined) return undefined
  const text = (await readFileAt(join(directory, newest), 0, LINE_LIMIT_BYTES).catch(() => Buffer.alloc(0))).toString('utf8')
  return text.split('\n').map(line => parseLogLine(line)).find(entry => entry !== undefined)?.host
}
