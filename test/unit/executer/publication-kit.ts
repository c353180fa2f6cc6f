import { createHash } from 'node:crypto'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FetchParts } from '../../../executer/fetch.ts'
import type { Log } from '../../../executer/log.ts'

export const PROGRAMS = ['agent.mjs', 'guard.mjs', 'share-helper.mjs', 'ringward.mjs'] as const
export const DATA = {
  'group.toml': 'servers = ["ftp", "mail"]\nprofile = "default"\n',
  'servers/ftp.toml': 'host = "ftphost"\n',
  'servers/mail.toml': 'host = "mailhost"\n',
}

export interface PublishedTree {
  readonly version: string
  readonly program?: Readonly<Record<string, string>>
  readonly data?: Readonly<Record<string, string>>
  readonly expires?: string | null
}

/** Writes a publication as `ringward publish` lays it out. */
export async function publish(share: string, tree: PublishedTree): Promise<void> {
  const directory = `program/${tree.version}`
  const program = { ...Object.fromEntries(PROGRAMS.map(name => [name, `// ${name} of ${tree.version}\n`])), ...tree.program }
  const data = { ...DATA, ...tree.data }
  for (const [path, text] of Object.entries(program)) await put(join(share, directory, path), text)
  for (const [path, text] of Object.entries(data)) await put(join(share, path), text)
  await put(join(share, 'manifest.json'), JSON.stringify({
    schema: 'ringward.manifest/1', version: tree.version, created: '2026-11-20T00:00:00Z', expires: tree.expires ?? null,
    program: { directory, files: files(program) }, data: { files: files(data) }, signature: null,
  }))
}

export function files(tree: Readonly<Record<string, string>>): { path: string; size: number; sha256: string }[] {
  return Object.entries(tree).map(([path, text]) => ({ path, size: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') }))
}

async function put(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

/** The shared area read directly: enough where nothing hangs. */
export function folderShare(root: string): ReturnType<FetchParts['openShare']> {
  return {
    readAt: async (path, offset, limit) => {
      try {
        const file = await open(join(root, path))
        const { bytesRead, buffer } = await file.read(Buffer.alloc(limit), 0, limit, offset).finally(() => file.close())
        return buffer.subarray(0, bytesRead)
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
        throw error
      }
    },
    close: () => Promise.resolve(),
  }
}

export interface RecordedLog extends Log {
  readonly lines: string[]
}

export function recordedLog(): RecordedLog {
  const lines: string[] = []
  return { lines, info: text => lines.push(text), warn: text => lines.push(`! ${text}`), child: (name, line) => lines.push(`${name}: ${line}`) }
}

export async function readJson(file: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
}
