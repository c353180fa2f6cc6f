import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run, runOrFail } from '../../src/edges/command.ts'
import { IMAGE_FILES, MASKED_UNITS, WANTED_UNITS } from './image-files.ts'
import { CACHE_DIRECTORY, LabError } from './lab.ts'

/** What a host needs: an init, a net, a remote hand, a hypervisor and the services. No Node: the machine's own is bound in. */
const PACKAGES = [
  'systemd', 'systemd-sysv', 'dbus', 'openssh-server', 'openssh-client', 'iproute2', 'iputils-ping', 'iputils-arping', 'procps',
  'vsftpd', 'postfix', 'squid', 'nginx-light', 'stress-ng', 'qemu-system-x86', 'libstdc++6', 'zstd',
  'libvirt-daemon-system', 'libvirt-clients',
] as const
/** Documentation and translations are a third of the size. */
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*', '/usr/share/qemu/*efi*', '/usr/share/squid/errors/[a-df-z]*']
const MIRROR = 'http://deb.debian.org/debian'
const SECURITY_MIRROR = 'http://deb.debian.org/debian-security'
/** Half a minute here; a slow line and a slow disk get twenty times that. */
const BUILD_LIMIT_MS = 15 * 60_000
/** Older images than these are removed: each is 300 MB. */
const KEPT_IMAGES = 2

/**
 * The Debian release of the hosts: the machine's own where it is one the lab knows, because the machine's Node runs in
 * them and must find the libraries it was built for; else Debian 12.
 */
async function suite(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(text)?.[1] ?? ''
  return ['bookworm', 'trixie'].includes(codename) ? codename : 'bookworm'
}

export interface RootImage { readonly root: string; readonly built: boolean; readonly took_ms: number }

/**
 * The root image of the hosts, from the cache or built now (35 s, one download of about 100 MB).
 * The cache is named by a hash of the recipe, so a changed recipe builds a new one.
 */
export async function rootImage(tell: (text: string) => void): Promise<RootImage> {
  const release = await suite()
  const recipe = JSON.stringify({ release, PACKAGES, LEFT_OUT, IMAGE_FILES, MASKED_UNITS, WANTED_UNITS })
  const home = join(CACHE_DIRECTORY, createHash('sha256').update(recipe).digest('hex').slice(0, 16))
  const root = join(home, 'root')
  if (existsSync(root)) return { root, built: false, took_ms: 0 }
  const began = process.hrtime.bigint()
  tell(`building the hosts' root image (Debian ${release}, once; about a minute with its download)`)
  const fresh = `${home}.${process.pid}.new`
  await mkdir(fresh, { recursive: true, mode: 0o755 })
  try {
    await bootstrap(release, join(fresh, 'root'))
    await configure(join(fresh, 'root'))
    await rename(fresh, home).catch((error: unknown) => {
      // Another lab built the same meanwhile.
      if (!existsSync(root)) throw error
    })
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  await removeOldImages(home)
  return { root, built: true, took_ms: Number((process.hrtime.bigint() - began) / 1_000_000n) }
}

async function bootstrap(release: string, root: string): Promise<void> {
  const answers = 'postfix postfix/main_mailer_type select Local only\npostfix postfix/mailname string lab.invalid\n'
  await mkdir(dirname(root), { recursive: true })
  const answersFile = join(dirname(root), 'debconf')
  await writeFile(answersFile, answers)
  const result = await run('mmdebstrap', [
    '--mode=root', '--variant=minbase', '--quiet',
    '--aptopt=Acquire::Languages "none"', '--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Retries "3"',
    '--dpkgopt=force-unsafe-io', ...LEFT_OUT.map(path => `--dpkgopt=path-exclude=${path}`),
    `--essential-hook=upload "${answersFile}" /tmp/debconf`, '--essential-hook=chroot "$1" debconf-set-selections /tmp/debconf',
    `--include=${PACKAGES.join(',')}`, release, root,
    `deb ${MIRROR} ${release} main`, `deb ${MIRROR} ${release}-updates main`, `deb ${SECURITY_MIRROR} ${release}-security main`,
  ], { limit_ms: BUILD_LIMIT_MS })
  if (result.status !== 0) {
    throw new LabError(`the root image could not be built: mmdebstrap ended with ${result.status}: ${result.stderr.trim().slice(-1_500)}`)
  }
  await rm(answersFile)
}

/** What is the same in every host: services that listen everywhere, a net made by systemd, nothing that runs by itself. */
async function configure(root: string): Promise<void> {
  for (const [path, text] of Object.entries(IMAGE_FILES)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await rm(join(root, path), { force: true })
    await writeFile(join(root, path), text, { mode: 0o644 })
  }
  const wants = join(root, 'etc/systemd/system')
  for (const folder of await readdir(wants)) {
    if (folder.endsWith('.wants')) await rm(join(wants, folder), { recursive: true })
  }
  await runOrFail('systemctl', [`--root=${root}`, 'mask', ...MASKED_UNITS], { limit_ms: 30_000 })
  await runOrFail('systemctl', [`--root=${root}`, 'enable', ...WANTED_UNITS], { limit_ms: 30_000 })
  await runOrFail('systemctl', [`--root=${root}`, 'set-default', 'multi-user.target'], { limit_ms: 30_000 })
  // Virtual servers are on the host's own bridge; libvirt's network would make another.
  await rm(join(root, 'etc/libvirt/qemu/networks/autostart/default.xml'), { force: true })
  for (const name of await readdir(join(root, 'etc/ssh'))) {
    if (name.startsWith('ssh_host_')) await rm(join(root, 'etc/ssh', name))
  }
  await rm(join(root, 'etc/machine-id'), { force: true })
  await mkdir(join(root, 'var/lib/lab-ftp'), { recursive: true })
  await chmod(join(root, 'var/lib/lab-ftp'), 0o755)
  await rm(join(root, 'var/lib/apt/lists'), { recursive: true, force: true })
  await rm(join(root, 'var/cache/apt'), { recursive: true, force: true })
}

async function removeOldImages(present: string): Promise<void> {
  const { stdout } = await run('ls', ['-1dt', '--', ...(await readdir(CACHE_DIRECTORY)).filter(name => /^[0-9a-f]{16}$/.test(name)).map(name => join(CACHE_DIRECTORY, name))], { limit_ms: 10_000 })
  const mounts = await readFile('/proc/self/mountinfo', 'utf8')
  for (const old of stdout.split('\n').filter(Boolean).slice(KEPT_IMAGES)) {
    if (old !== present && !mounts.includes(old)) await rm(old, { recursive: true, force: true })
  }
}
