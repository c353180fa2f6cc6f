import { constants } from 'node:fs'
import { lstat, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '../errors.ts'
import { classify, FILE_LIMIT_BYTES, FILES_LIMIT, GROUP_FILE, NAMED_FOLDERS } from './layout.ts'
import type { Problem } from './problem.ts'

export interface ConfigurationDirectory {
  /** Path within the directory → text. */
  readonly files: ReadonlyMap<string, string>
  readonly problems: readonly Problem[]
}

/**
 * Reads the configuration's files of a directory: nothing else of it is looked at, links are not followed
 * (architecture, trust), every size has a limit. For a directory that does not hang; on a live share it belongs in the share helper.
 */
export async function readConfigurationDirectory(directory: string): Promise<ConfigurationDirectory> {
  const files = new Map<string, string>()
  const problems: Problem[] = []
  const complain = (file: string, message: string) => problems.push({ file, line: 1, message })
  const paths = [...await exists(join(directory, GROUP_FILE)) ? [GROUP_FILE] : []]
  for (const [folder, end] of Object.entries(NAMED_FOLDERS)) {
    for (const name of await names(directory, folder, complain)) {
      const path = `${folder}/${name}`
      // Editors and half-written files of `join` leave names with a dot in front.
      if (name.startsWith('.')) continue
      if (classify(path)) paths.push(path)
      else complain(path, name.endsWith(end) ? `the name is not allowed: only a-z, 0-9 and "-", then ${end}. Rename the file.` : `only files named NAME${end} belong in ${folder}/. Move this one elsewhere.`)
    }
  }
  if (paths.length > FILES_LIMIT) complain(GROUP_FILE, `the configuration has ${paths.length} files, more than ${FILES_LIMIT}. Remove what does not belong to it.`)
  for (const path of paths.slice(0, FILES_LIMIT)) {
    const read = await readText(join(directory, path))
    if ('text' in read) files.set(path, read.text)
    else complain(path, read.wrong)
  }
  return { files, problems }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(() => true, () => false)
}

async function names(directory: string, folder: string, complain: (file: string, message: string) => void): Promise<string[]> {
  const path = join(directory, folder)
  try {
    if (!(await lstat(path)).isDirectory()) {
      complain(folder, 'this is not a folder, and links are not followed. Make it a folder.')
      return []
    }
    return (await readdir(path)).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') complain(folder, `the folder cannot be read: ${reasonOf(error)}. Correct its permissions.`)
    return []
  }
}

/** One regular file of limited size, as strict UTF-8. */
async function readText(path: string): Promise<{ readonly text: string } | { readonly wrong: string }> {
  let file
  try {
    // Without O_NONBLOCK a named pipe in the folder would hang the open.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    if (!(await file.stat()).isFile()) return { wrong: 'this is not a regular file. Replace it by one.' }
    const buffer = Buffer.alloc(FILE_LIMIT_BYTES + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length)
      length += bytesRead
      if (length > FILE_LIMIT_BYTES) return { wrong: `the file is larger than ${FILE_LIMIT_BYTES / 1024} KiB. Shorten it.` }
      if (bytesRead === 0) break
    }
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(buffer.subarray(0, length)) }
  } catch (error) {
    if (error instanceof TypeError) return { wrong: 'the file is not UTF-8 text. Save it as UTF-8.' }
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') return { wrong: 'this is a link, and links are not followed. Put the file itself here.' }
    return { wrong: `the file cannot be read: ${reasonOf(error)}. Correct its permissions.` }
  } finally {
    await file?.close()
  }
}
