import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { SUITE } from '../../../scripts/guest-image/recipe.ts'
import { CACHE_DIRECTORY } from '../../../scripts/laboratory/lab.ts'

const execute = promisify(execFile)
/** Small daemons for the dialogues the lab's hosts do not hold. */
const PACKAGES = ['dovecot-pop3d', 'dovecot-imapd', 'dnsmasq-base']
/** The users they fall back to; nothing of this machine's accounts is in their tree. */
const USERS = ['root:x:0:0', 'dovecot:x:101:101', 'dovenull:x:102:102']
const GROUPS = ['root:x:0:', 'dovecot:x:101:', 'dovenull:x:102:']
const DOWNLOAD_LIMIT_MS = 240_000
const READY_LIMIT_MS = 30_000
const PORTS = [53, 110, 143]

/**
 * Unpacks the daemons into a tree of their own, or finds it in the lab's cache. Nothing is installed: Debian would start and enable a mail
 * server on this machine. Needs root, mmdebstrap and, the first time, Debian's packages.
 */
async function daemonTree(): Promise<string> {
  const recipe = createHash('sha256').update(JSON.stringify([SUITE, PACKAGES, USERS, GROUPS])).digest('hex').slice(0, 12)
  const tree = join(CACHE_DIRECTORY, `daemons-${recipe}`)
  if ((await readdir(tree).catch(() => [])).length > 0) return tree
  await mkdir(CACHE_DIRECTORY, { recursive: true })
  const draft = await mkdtemp(join(CACHE_DIRECTORY, 'daemons-build-'))
  try {
    await execute('mmdebstrap', ['--mode=root', '--variant=extract', '--quiet', '--aptopt=APT::Install-Recommends "0"', '--aptopt=Acquire::Retries "3"', `--include=${PACKAGES.join(',')}`, SUITE, draft], { timeout: DOWNLOAD_LIMIT_MS })
    await rm(join(draft, 'usr/share'), { recursive: true })
    await writeFile(join(draft, 'etc/passwd'), USERS.map(user => `${user}::/:/bin/false\n`).join(''))
    await writeFile(join(draft, 'etc/group'), `${GROUPS.join('\n')}\n`)
    await writeFile(join(draft, 'etc/hosts'), '127.0.0.1 localhost\n')
    // Two builders may finish at once: the first rename wins, the other one's tree is the same.
    await rename(draft, tree).catch(async (error: unknown) => {
      if ((await readdir(tree).catch(() => [])).length === 0) throw error
    })
    return tree
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** POP3 and IMAP by dovecot, DNS by dnsmasq without a way to the outside, at their own ports of a loopback address of this process. */
export class DebianDaemons {
  readonly address = `127.77.${process.pid >> 8 & 255}.${process.pid & 255}`
  private readonly folder: string
  private readonly children: ChildProcess[] = []
  private words = ''

  private constructor(folder: string) {
    this.folder = folder
  }

  static async start(): Promise<DebianDaemons> {
    const tree = await daemonTree()
    await mkdir(join(tree, 'run'), { recursive: true })
    const folder = await mkdtemp(join(tree, 'run', 'test-'))
    const daemons = new DebianDaemons(folder)
    const inside = `/run/${basename(folder)}`
    try {
      await writeFile(join(folder, 'dovecot.conf'), dovecotConfiguration(inside, daemons.address))
      daemons.spawn(tree, ['/usr/sbin/dovecot', '-F', '-c', `${inside}/dovecot.conf`])
      daemons.spawn(tree, ['/usr/sbin/dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', `--listen-address=${daemons.address}`, '--bind-interfaces', '--user=root', '--pid-file=', '--log-facility=-'])
      for (const port of PORTS) await daemons.listens(port)
      return daemons
    } catch (error) {
      await daemons.stop()
      throw error
    }
  }

  /** All of them, as a frozen host would: connections are still taken by the kernel. */
  async freeze(): Promise<void> {
    await this.signalAll('SIGSTOP')
  }

  async thaw(): Promise<void> {
    await this.signalAll('SIGCONT')
  }

  async stop(): Promise<void> {
    await this.thaw()
    await Promise.all(this.children.map(async child => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
    }))
    await rm(this.folder, { recursive: true, force: true })
  }

  private spawn(tree: string, command: readonly string[]): void {
    // They end with this process, however it ends; dovecot's own children end with their master.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'chroot', tree, ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { this.words = (this.words + text).slice(-2_000) })
    this.children.push(child)
  }

  private async listens(port: number): Promise<void> {
    const until_ms = performance.now() + READY_LIMIT_MS
    while (!await connects(this.address, port)) {
      if (performance.now() > until_ms || this.children.some(child => child.exitCode !== null)) throw new Error(`nothing listens on ${this.address}:${port}: ${this.words}`)
      await sleep(50)
    }
  }

  private async signalAll(signal: NodeJS.Signals): Promise<void> {
    for (const pid of await this.processes()) {
      try {
        process.kill(pid, signal)
      } catch (error) {
        // A session of dovecot ends with its connection, at any time.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
  }

  private async processes(): Promise<number[]> {
    const alive = this.children.flatMap(child => child.pid === undefined || child.exitCode !== null || child.signalCode !== null ? [] : [child.pid])
    const below = await Promise.all(alive.map(async pid => (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean).map(Number)))
    return [...alive, ...below.flat()]
  }
}

function connects(address: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, address, () => resolve(socket.destroy().destroyed))
    socket.on('error', () => resolve(false))
  })
}

function dovecotConfiguration(folder: string, address: string): string {
  return `protocols = imap pop3
listen = ${address}
base_dir = ${folder}/base
state_dir = ${folder}/state
log_path = /dev/stderr
ssl = no
passdb {
  driver = static
  args = nopassword=y
}
service imap-login {
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3s {
    port = 0
  }
}
`
}
