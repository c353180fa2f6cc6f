/** The hand on targets without an agent, held to its contract by a real sshd, systemd and kernel: a host of the lab on which nothing of ringward runs. */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { runInside, runInsideOrFail } from '../../scripts/laboratory/exec.ts'
import { takeDown } from '../../scripts/laboratory/down.ts'
import { writeInto } from '../../scripts/laboratory/host-root.ts'
import { hostOf, hostPlaces, type Lab } from '../../scripts/laboratory/lab.ts'
import { bringUp } from '../../scripts/laboratory/up.ts'
import { newHandKey } from '../../src/configuration/hand-key.ts'
import { SystemClock } from '../../src/edges/clock.ts'
import { SshPlainHand } from '../../src/edges/remote-hand/ssh-plain-hand.ts'
import { plainHandContract, type PlainWorld } from '../contract/support/plain-hand-contract.ts'

const DIRECTORY = `/var/lib/rl-hand-${process.pid}`
const TARGET = 'web1'
/** Beside the lab's own addresses; nothing else knows it. */
const VIP = '10.77.0.99'

/** The lab's network exists in its namespaces only: each connection is carried there by a process of its own. */
const CARRIER = 'const s=require("node:net").connect(22,process.argv[1]);process.stdin.pipe(s);s.pipe(process.stdout);s.on("error",()=>process.exit(1));s.on("close",()=>process.exit(0))'

async function carry(lab: Lab): Promise<{ port: number; close: () => Promise<void> }> {
  const carriers = new Set<ChildProcess>()
  const listener = createServer(socket => {
    const carrier = spawn('nsenter', [`--net=/run/netns/${lab.switch_namespace}`, '--', process.execPath, '-e', CARRIER, hostOf(lab, TARGET).address], { stdio: ['pipe', 'pipe', 'ignore'] })
    carriers.add(carrier)
    socket.pipe(carrier.stdin)
    carrier.stdout.pipe(socket)
    socket.on('error', () => carrier.kill())
    carrier.stdin.on('error', () => socket.destroy())
    carrier.on('close', () => {
      carriers.delete(carrier)
      socket.destroy()
    })
  })
  const port = await new Promise<number>(resolve => listener.listen(0, '127.0.0.1', () => resolve((listener.address() as AddressInfo).port)))
  let open = true
  return {
    port,
    close: async () => {
      if (!open) return
      open = false
      for (const carrier of carriers) carrier.kill()
      await new Promise<void>(resolve => listener.close(() => resolve()))
    },
  }
}

async function start(): Promise<PlainWorld> {
  await takeDown(DIRECTORY)
  const lab = await bringUp({ directory: DIRECTORY, tell: () => undefined, hosts: ['mail', TARGET], interval: '1s', standby: 'saved', post_delay_ms: 0, ringward: false, project: process.cwd() })
  const { root } = hostPlaces(lab, TARGET)
  const key = newHandKey()
  await runInsideOrFail(lab, TARGET, ['mkdir', '-p', '-m', '700', '/root/.ssh'])
  await writeInto(root, 'root/.ssh/authorized_keys', `restrict,command="/bin/sh -s" ${key.public}\n`, 0o600)
  const [kind, host_key] = (await readFile(join(root, 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8')).split(' ')
  const carrier = await carry(lab)
  const status = async (...command: string[]): Promise<{ status: number; stdout: string }> => runInside(lab, TARGET, command)
  return {
    hand: new SshPlainHand({ clock: new SystemClock(), private_key: Buffer.from(key.private) }),
    // Seen from the carrier's end it is this address; the target has it on its loopback device, and the VIP comes beside it.
    target: { name: TARGET, address: '127.0.0.1', ssh_host_key: `${kind} ${host_key?.trim()}`, user: 'root', port: carrier.port, vip: VIP, vip_prefix: 32 },
    daemon: 'nginx',
    hasVip: async () => (await status('ip', '-o', '-4', 'addr', 'show')).stdout.includes(`${VIP}/32`),
    addVip: async () => { await runInsideOrFail(lab, TARGET, ['ip', 'addr', 'add', `${VIP}/32`, 'dev', 'br0']) },
    daemonRuns: async () => (await status('systemctl', 'is-active', 'nginx')).status === 0,
    stopDaemon: async () => { await runInsideOrFail(lab, TARGET, ['systemctl', 'stop', 'nginx']) },
    unplug: () => carrier.close(),
    end: async () => {
      await carrier.close()
      await takeDown(DIRECTORY)
    },
  }
}

plainHandContract('a real sshd, systemd and iproute2', start)
