import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newHandKey, type HandKey } from '../../../src/configuration/hand-key.ts'
import { SystemClock } from '../../../src/edges/clock.ts'
import { SshPlainHand } from '../../../src/edges/remote-hand/ssh-plain-hand.ts'
import type { PlainWorld } from './plain-hand-contract.ts'
import { startSshServer, type TestSshServer } from './ssh-server.ts'

/**
 * A real SSH connection and a real /bin/sh before a system that is played: `uname`, `ip`, `ifconfig` and the service managers are small
 * scripts that keep addresses and daemons in files and write down how they were called. It is a test double of the system, not of the hand.
 */
export type FakeFamily = 'OpenRC' | 'sysvinit' | 'FreeBSD' | 'systemd'

/** Where the test reaches it; the played system has it on its network card. */
const OWN = '127.0.0.1'
const VIP = '192.0.2.23'

const IP = `case "$1 $2 $3 $4" in
"-o -4 addr show") n=1; while read -r device address; do n=$((n+1)); echo "$n: $device    inet $address brd 192.0.2.255 scope global $device\\       valid_lft forever preferred_lft forever"; done < "$STATE/addresses" ;;
"addr add "*) grep -q " $3\\$" "$STATE/addresses" && { echo "RTNETLINK answers: File exists"; exit 2; }; echo "$5 $3" >> "$STATE/addresses" ;;
"addr del "*) grep -v "^$5 $3\\$" "$STATE/addresses" > "$STATE/new"; mv "$STATE/new" "$STATE/addresses" ;;
*) echo "unknown: $*"; exit 1 ;;
esac`

const IFCONFIG = `case "$1" in
-a) for device in lo0 em0; do echo "$device: flags=8843<UP,BROADCAST,RUNNING> metric 0 mtu 1500"; while read -r on address; do [ "$on" = "$device" ] && printf '\\tinet %s netmask 0xffffff00 broadcast 192.0.2.255\\n' "\${address%/*}"; done < "$STATE/addresses"; done ;;
*) case "$4" in
  alias) echo "$1 $3" >> "$STATE/addresses" ;;
  -alias) grep -v "^$1 $3" "$STATE/addresses" > "$STATE/new"; mv "$STATE/new" "$STATE/addresses" ;;
  esac ;;
esac`

/** Restarts the one daemon there is. */
const restart = (name: string): string => `[ "${name}" = nginx ] || { echo "${name}: not found"; exit 1; }; echo running > "$STATE/nginx"`

const TOOLS: Readonly<Record<FakeFamily, Readonly<Record<string, string>>>> = {
  systemd: { uname: 'echo Linux', ip: IP, arping: 'exit 0', systemctl: `case "$1" in is-system-running) echo degraded; exit 1 ;; restart) ${restart('$2')} ;; is-active) cat "$STATE/$2" ;; esac` },
  OpenRC: { uname: 'echo Linux', ip: IP, arping: 'exit 0', systemctl: 'echo offline; exit 1', 'rc-service': `case "$2" in restart) ${restart('$1')} ;; status) cat "$STATE/$1" ;; esac` },
  sysvinit: { uname: 'echo Linux', ip: IP, arping: 'exit 0', systemctl: 'exit 1', service: `case "$2" in restart) ${restart('$1')} ;; esac` },
  FreeBSD: { uname: 'echo FreeBSD', ifconfig: IFCONFIG, service: `case "$2" in onerestart) ${restart('$1')} ;; onestatus) cat "$STATE/$1" ;; *) exit 64 ;; esac` },
}

export interface FakeWorld extends PlainWorld {
  /** How the tools were called, in order. */
  calls(): Promise<string[]>
}

export async function startFakeSystem(family: FakeFamily): Promise<FakeWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'ringward-fake-'))
  const tools = join(folder, 'bin')
  await mkdir(tools)
  const file = (name: string): string => join(folder, name)
  await writeFile(file('addresses'), family === 'FreeBSD' ? `em0 ${OWN}/24\n` : `lo 127.0.0.2/8\neth0 ${OWN}/24\n`)
  await writeFile(file('nginx'), 'running\n')
  await writeFile(file('calls'), '')
  for (const [name, text] of Object.entries({ id: 'echo 0', ...TOOLS[family] })) {
    await writeFile(join(tools, name), `#!/bin/sh\necho "${name} $*" >> "$STATE/calls"\n${text}\n`)
    await chmod(join(tools, name), 0o755)
  }
  const keys = { host: newHandKey(), hand: newHandKey() }
  const { port, close } = await serve(folder, tools, keys)
  const vip_line = family === 'FreeBSD' ? `em0 ${VIP}/32` : `eth0 ${VIP}/24`
  return {
    hand: new SshPlainHand({ clock: new SystemClock(), private_key: Buffer.from(keys.hand.private) }),
    target: { name: 'web', address: OWN, ssh_host_key: keys.host.public, user: 'root', port, vip: VIP, vip_prefix: 24 },
    daemon: 'nginx',
    hasVip: async () => (await readFile(file('addresses'), 'utf8')).includes(`${VIP}/`),
    addVip: async () => { await writeFile(file('addresses'), `${await readFile(file('addresses'), 'utf8')}${vip_line}\n`) },
    daemonRuns: async () => (await readFile(file('nginx'), 'utf8')) === 'running\n',
    stopDaemon: () => writeFile(file('nginx'), 'stopped\n'),
    calls: async () => (await readFile(file('calls'), 'utf8')).trim().split('\n'),
    unplug: close,
    end: async () => {
      await close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** An SSH server which runs what it is asked in a real sh, as an account with that home. */
function serve(home: string, tools: string, keys: { readonly host: HandKey; readonly hand: HandKey }): Promise<TestSshServer> {
  return startSshServer(keys, (command, channel) => {
    const [program = '', ...args] = command.split(' ')
    const child = spawn(program, args, { env: { PATH: `${tools}:/usr/bin:/bin`, HOME: home, STATE: home }, stdio: 'pipe' })
    channel.pipe(child.stdin)
    child.stdout.on('data', (data: Buffer) => channel.write(data))
    child.on('close', status => {
      channel.exit(status ?? 1)
      channel.end()
    })
  })
}
