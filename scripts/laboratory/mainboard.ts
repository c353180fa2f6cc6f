import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, realpathSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../../src/edges/command.ts'
import { probeAccelerator } from '../../src/edges/hypervisor/accelerator.ts'
import type { Accelerator } from '../../src/edges/hypervisor/qemu-arguments.ts'
import { cgroupsOf, entrances, killMembers, makeCgroups, type HostCgroups } from './cgroups.ts'
import type { HostPlan } from './hosts.ts'
import { hostPlaces, writeWhole, type Lab } from './lab.ts'
import { portOf, SWITCH_BRIDGE } from './network.ts'
import { abortShare, readyShare } from './share.ts'

/** systemd-nspawn's exit status for "the system inside wants a reboot" (with --keep-unit). */
const REBOOT_STATUS = 133
/** A process that does not die by then waits for a hung shared area; its requests are failed. */
const UNDISTURBED_DEATH_MS = 250
const DEATH_LIMIT_MS = 10_000
/** A system that ends sooner than this after its start, asking for a reboot, is not started again at once. */
const SHORTEST_LIFE_MS = 200
/** Where the hosts find Node. */
const NODE_INSIDE = '/usr/local/bin/node'

/** Found out once. Hosts get the device node only where it works: each would try it at its start, and libvirt before each virtual server. */
let machine_accelerator: Promise<Accelerator> | undefined

export type Power = 'off' | 'self-test' | 'on'

/** A host's mainboard: it has power or not, starts the system, starts it again when it asks for a reboot, stays off when it ended. */
export class Mainboard {
  private power: Power = 'off'
  private boots = 0
  private turn = 0
  private child: ChildProcess | undefined
  private running: Promise<void> = Promise.resolve()
  readonly host: HostPlan
  private readonly lab: Lab
  private readonly cgroups: HostCgroups
  private readonly tell: (text: string) => void

  constructor(lab: Lab, host: HostPlan, tell: (text: string) => void) {
    this.lab = lab
    this.host = host
    this.cgroups = cgroupsOf(lab.id, host.name)
    this.tell = tell
  }

  get state(): { power: Power; boots: number } {
    return { power: this.power, boots: this.boots }
  }

  /** Switches on; nothing happens to a host that is on. False when it was on already. */
  async powerOn(reason: string): Promise<boolean> {
    if (this.power !== 'off') return false
    this.tell(`${this.host.name}: power on (${reason})`)
    this.turn += 1
    await this.note('self-test')
    this.running = this.live(this.turn).catch((error: unknown) => {
      this.tell(`${this.host.name}: the mainboard failed: ${error instanceof Error ? error.message : String(error)}`)
      return this.note('off')
    })
    return true
  }

  /** The power cut: every process of the host is killed at once. Resolves when none is left. */
  async powerOff(reason: string): Promise<void> {
    this.tell(`${this.host.name}: power off (${reason})`)
    this.turn += 1
    await this.drain()
    this.child?.kill('SIGKILL')
    await this.running
    await this.drain()
    await this.note('off')
  }

  private async drain(): Promise<void> {
    if (await killMembers(this.cgroups, UNDISTURBED_DEATH_MS) === 0) return
    abortShare(this.lab, this.host.name)
    const left = await killMembers(this.cgroups, DEATH_LIMIT_MS)
    if (left > 0) throw new Error(`${left} processes of ${this.host.name} cannot be killed`)
  }

  private async live(turn: number): Promise<void> {
    for (;;) {
      if (this.lab.settings.post_delay_ms > 0) await sleep(this.lab.settings.post_delay_ms)
      if (this.turn !== turn) return
      await makeCgroups(this.cgroups)
      await readyShare(this.lab, this.host.name)
      // A killed system's cable may linger until its namespace is gone.
      await run('ip', ['link', 'del', portOf(this.host.name)], { limit_ms: 5_000 })
      if (this.turn !== turn) return
      this.boots += 1
      const began = process.hrtime.bigint()
      const status = await this.start()
      await this.drain()
      this.tell(`${this.host.name}: the system ended (${status})`)
      if (this.turn !== turn) return
      if (status !== REBOOT_STATUS) return this.note('off')
      await this.note('self-test')
      const lived_ms = Number((process.hrtime.bigint() - began) / 1_000_000n)
      if (lived_ms < SHORTEST_LIFE_MS) await sleep(1_000)
    }
  }

  private async start(): Promise<number | NodeJS.Signals | null> {
    const console = openSync(hostPlaces(this.lab, this.host.name).console, 'a', 0o600)
    const accelerator = await (machine_accelerator ??= probeAccelerator())
    const enter = entrances(this.cgroups, 'system')
    // The shell moves itself into the host's groups, then becomes nspawn: no process of the host is ever outside them.
    const script = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done; shift; exec "$@"'
    const child = spawn('/bin/sh', ['-c', script, 'mainboard', ...enter, '--', 'systemd-nspawn', ...this.nspawnArguments(accelerator)], {
      stdio: ['ignore', console, console], cwd: '/', env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin' },
    })
    closeSync(console)
    this.child = child
    await this.note('on')
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (status, signal) => resolve(status ?? signal))
    })
  }

  private nspawnArguments(accelerator: Accelerator): string[] {
    const { root, outlet } = hostPlaces(this.lab, this.host.name)
    return [
      '--quiet', '--boot', `--directory=${root}`, `--machine=${this.host.name}`, '--register=no', '--keep-unit', `--network-bridge=${SWITCH_BRIDGE}`,
      '--resolv-conf=off', '--timezone=off', '--link-journal=no', '--console=read-only', '--kill-signal=SIGRTMIN+3',
      // SYS_NICE and the like: the guard asks for real time; NET_RAW for ping and arping.
      '--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_NICE,CAP_SYS_RESOURCE,CAP_IPC_LOCK',
      '--bind=/dev/net/tun', ...accelerator === 'kvm' ? ['--bind=/dev/kvm'] : [],
      `--bind-ro=${realpathSync(process.execPath)}:${NODE_INSIDE}`, `--bind=${outlet}:/srv`,
    ]
  }

  private async note(power: Power): Promise<void> {
    this.power = power
    if (power !== 'on') this.child = undefined
    await writeWhole(hostPlaces(this.lab, this.host.name).state, JSON.stringify({ power, boots: this.boots, since: new Date().toISOString() }))
  }
}
