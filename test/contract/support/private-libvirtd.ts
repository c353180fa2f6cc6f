import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, openSync, readFileSync } from 'node:fs'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const SOCKET = '/run/libvirt/libvirt-sock'
const START_LIMIT_MS = 60_000
/** What Debian's libvirt-daemon-system adds; libvirtd does not start without this user. */
const USER = 'libvirt-qemu'

/**
 * A libvirtd of one's own at the customary places, in the mount namespace of this process: it must have one (`ip netns exec` makes it).
 * Without service manager, message bus and cgroups.
 */
export class PrivateLibvirtd {
  private readonly directory: string
  private child: ChildProcess | undefined

  private constructor(directory: string) {
    this.directory = directory
  }

  static async start(directory: string, migration_address: string): Promise<PrivateLibvirtd> {
    for (const [place, name] of [['/run/libvirt', 'run'], ['/var/lib/libvirt', 'lib'], ['/var/cache/libvirt', 'cache'], ['/etc/libvirt', 'etc'], ['/var/log/libvirt', 'log']] as const) {
      await mkdir(join(directory, name), { recursive: true })
      await mkdir(place, { recursive: true })
      await bind(join(directory, name), place)
    }
    // QEMU's own user must reach its sockets.
    await chmod(directory, 0o755)
    await chmod(join(directory, '..'), 0o755)
    await writeFile('/etc/libvirt/qemu.conf', 'security_driver = "none"\ncgroup_controllers = [ ]\nnamespaces = [ ]\nstdio_handler = "file"\n' + (migration_address === '' ? '' : `migration_host = "${migration_address}"\n`))
    await writeFile(join(directory, 'libvirtd.conf'), `auth_unix_rw = "none"\nlog_outputs = "3:file:${join(directory, 'libvirtd.log')}"\n`)
    await withUser(directory)
    // A device node that exists but does not work makes libvirt examine QEMU anew before each start.
    await writeFile(join(directory, 'no-kvm'), '', { mode: 0 })
    if (existsSync('/dev/kvm')) await bind(join(directory, 'no-kvm'), '/dev/kvm')
    const libvirtd = new PrivateLibvirtd(directory)
    await libvirtd.again()
    return libvirtd
  }

  /** SIGKILL, SIGSTOP, SIGCONT; `again` starts it anew. */
  async signal(name: NodeJS.Signals | 'again'): Promise<void> {
    if (name === 'again') return this.again()
    this.child?.kill(name)
    if (name === 'SIGKILL') await ended(this.child)
  }

  async end(): Promise<void> {
    this.child?.kill('SIGCONT')
    this.child?.kill('SIGTERM')
    await ended(this.child)
  }

  private async again(): Promise<void> {
    await rm(SOCKET, { force: true })
    const output = openSync(join(this.directory, 'output'), 'a')
    const child = spawn('libvirtd', ['-f', join(this.directory, 'libvirtd.conf'), '-p', join(this.directory, 'pid')], { stdio: ['ignore', output, output] })
    this.child = child
    for (let waited_ms = 0; !existsSync(SOCKET); waited_ms += 20) {
      if (child.exitCode !== null || waited_ms > START_LIMIT_MS) throw new Error(`libvirtd did not start: ${readFileSync(join(this.directory, 'output'), 'utf8')}`)
      await sleep(20)
    }
  }
}

async function withUser(directory: string): Promise<void> {
  if (new RegExp(`^${USER}:`, 'm').test(readFileSync('/etc/passwd', 'utf8'))) return
  for (const [file, line] of [['passwd', `${USER}:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin`], ['group', `${USER}:x:64055:`]] as const) {
    await writeFile(join(directory, file), `${readFileSync(`/etc/${file}`, 'utf8')}${line}\n`)
    await bind(join(directory, file), `/etc/${file}`)
  }
}

function bind(from: string, to: string): Promise<void> {
  execFileSync('mount', ['--bind', from, to])
  return Promise.resolve()
}

function ended(child: ChildProcess | undefined): Promise<unknown> {
  return !child || child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise(resolve => child.once('exit', resolve))
}
