import { NAME_PATTERN } from './values.ts'

/** The hand-written part of the shared area, and the identities the hosts add. */
export const GROUP_FILE = 'group.toml'
export const MANIFEST_FILE = 'manifest.json'

/** Folders that hold one file per name, and how these files end. */
export const NAMED_FOLDERS = { servers: '.toml', probes: '.toml', identities: '.json' } as const
export type NamedFolder = keyof typeof NAMED_FOLDERS

/** A hand-written file is a few KB; this also bounds the work of parsing. */
export const FILE_LIMIT_BYTES = 256 * 1024
/** Four files for each of the largest ring's servers. */
export const FILES_LIMIT = 1_024

export type ConfigurationPath =
  | { readonly kind: 'group' }
  | { readonly kind: NamedFolder; readonly name: string }

/** What a path within the configuration stands for; undefined for anything that does not belong to it. */
export function classify(path: string): ConfigurationPath | undefined {
  if (path === GROUP_FILE) return { kind: 'group' }
  const [folder = '', file = '', ...rest] = path.split('/')
  if (rest.length > 0 || !Object.hasOwn(NAMED_FOLDERS, folder)) return undefined
  const kind = folder as NamedFolder
  const end = NAMED_FOLDERS[kind]
  if (!file.endsWith(end)) return undefined
  const name = file.slice(0, -end.length)
  return NAME_PATTERN.test(name) ? { kind, name } : undefined
}

export function pathOf(kind: NamedFolder, name: string): string {
  return `${kind}/${name}${NAMED_FOLDERS[kind]}`
}
