import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { writeKernel } from './kernel.ts'
import { APPLETS, FILES, MODULES, PACKAGES, PROGRAMS, SUITE } from './recipe.ts'

const execute = promisify(execFile)
const FOLDER = dirname(fileURLToPath(import.meta.url))
/** Downloads of some 60 MB on a slow line. */
const DOWNLOAD_LIMIT_MS = 600_000
const STEP_LIMIT_MS = 60_000

export interface GuestImage {
  readonly kernel: string
  readonly initrd: string
}

async function fetchPackages(debian: string): Promise<void> {
  await execute('mmdebstrap', [
    '--mode=root', '--variant=extract', '--quiet', '--aptopt=APT::Install-Recommends "0"', '--aptopt=Acquire::Retries "3"', `--include=${PACKAGES.join(',')}`, SUITE, debian,
  ], { timeout: DOWNLOAD_LIMIT_MS })
}

/**
 * Builds the image of the virtual servers (needs root, mmdebstrap, cpio) into `cache_directory/guest-<recipe>/`, or finds it there.
 * Rejects when a package cannot be fetched or a program is missing.
 */
export async function buildGuest(options: { readonly cache_directory: string }): Promise<GuestImage> {
  const target = join(options.cache_directory, `guest-${await recipeHash()}`)
  const image: GuestImage = { kernel: join(target, 'kernel'), initrd: join(target, 'initrd') }
  if ((await readdir(target).catch(() => [])).length > 0) return image
  await mkdir(options.cache_directory, { recursive: true })
  const work = await mkdtemp(join(options.cache_directory, 'guest-build-'))
  try {
    const debian = join(work, 'debian')
    await fetchPackages(debian)
    const tree = join(work, 'tree')
    await fillTree(debian, tree)
    const output = join(work, 'output')
    await mkdir(output)
    await writeKernel(join(debian, 'boot', await onlyEntry(join(debian, 'boot'), 'vmlinuz-')), join(output, 'kernel'))
    await writeInitrd(tree, join(output, 'initrd'))
    // Two builders may finish at once: the first rename wins, the other one's image is the same.
    await rename(output, target).catch(async (error: unknown) => {
      if ((await readdir(target).catch(() => [])).length === 0) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return image
}

/** Everything that shapes the image, so that a changed recipe is never served from the cache. */
async function recipeHash(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of ['recipe.ts', 'kernel.ts', 'build-guest.ts', ...Object.keys(FILES).map(file => join('files', file))]) hash.update(name).update(await readFile(join(FOLDER, name)))
  return hash.digest('hex').slice(0, 12)
}

async function fillTree(debian: string, tree: string): Promise<void> {
  for (const folder of ['bin', 'sbin', 'dev', 'proc', 'sys', 'etc/dropbear', 'root', 'lib/modules', 'srv/www', 'srv/ftp', 'var/mail', 'var/log', 'var/run']) await mkdir(join(tree, folder), { recursive: true })
  await copyInto(debian, tree, '/bin/busybox')
  await symlink('busybox', join(tree, 'bin', 'sh'))
  for (const applet of APPLETS.filter(name => name !== 'sh')) await symlink('/bin/busybox', join(tree, applet === 'init' ? 'sbin' : 'bin', applet))
  for (const program of PROGRAMS) {
    await copyInto(debian, tree, program)
    for (const library of await librariesOf(debian, program)) await copyInto(debian, tree, library)
  }
  const modules = join(debian, 'lib/modules')
  const kernel = join(modules, await onlyEntry(modules, ''), 'kernel')
  for (const module of MODULES) await copyFile(join(kernel, module), join(tree, 'lib/modules', module.slice(module.lastIndexOf('/') + 1)))
  for (const [name, [path, mode]] of Object.entries(FILES)) {
    await copyFile(join(FOLDER, 'files', name), join(tree, path))
    await chmod(join(tree, path), mode)
  }
  await writeFile(join(tree, 'srv/www/index.html'), '<!doctype html><title>ringward</title><p>given by a virtual server\n')
  await writeFile(join(tree, 'srv/ftp/README'), 'given by a virtual server\n')
  await execute('chroot', [debian, '/usr/bin/dropbearkey', '-t', 'ed25519', '-f', '/dropbear_key'], { timeout: STEP_LIMIT_MS })
  await cp(join(debian, 'dropbear_key'), join(tree, 'etc/dropbear/dropbear_ed25519_host_key'))
}

/** The libraries a program loads, as the dynamic linker itself names them. */
async function librariesOf(debian: string, program: string): Promise<string[]> {
  const { stdout } = await execute('chroot', [debian, '/lib64/ld-linux-x86-64.so.2', '--list', program], { timeout: STEP_LIMIT_MS })
  if (stdout.includes('not found')) throw new Error(`a library of ${program} is missing: ${stdout}`)
  return [...stdout.matchAll(/(?:^|\s)(\/\S+) \(0x/gm)].flatMap(match => match[1] ?? [])
}

async function copyInto(debian: string, tree: string, path: string): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true })
  await cp(join(debian, path), join(tree, path), { dereference: true, force: true })
}

async function onlyEntry(folder: string, prefix: string): Promise<string> {
  const [name, ...others] = (await readdir(folder)).filter(entry => entry.startsWith(prefix))
  if (name === undefined || others.length > 0) throw new Error(`${folder}: one entry ${prefix}* was expected`)
  return name
}

/** Not packed: unpacking costs the guest more time than reading costs the host. */
async function writeInitrd(tree: string, to: string): Promise<void> {
  await execute('sh', ['-c', 'cd "$1" && find . -print0 | LC_ALL=C sort -z | cpio --quiet --null --create --format=newc --owner=0:0 --reproducible --file="$2"', 'sh', tree, to], { timeout: STEP_LIMIT_MS })
}

/** Puts the image where the hypervisor looks for it: `<share>/vm/<image>/kernel` and `initrd`. Each file by rename, so that nobody reads half of it. */
export async function installGuest(image: GuestImage, image_directory: string): Promise<void> {
  await mkdir(image_directory, { recursive: true })
  for (const [name, file] of Object.entries(image) as [string, string][]) {
    const draft = join(image_directory, `new-${process.pid}-${name}`)
    await copyFile(file, draft)
    await rename(draft, join(image_directory, name))
  }
}
