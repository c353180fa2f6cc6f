import { RingwardError } from '../../errors.ts'
import type { HeldAddress, PlainSystem, ServiceManager } from './plain-system.ts'

/**
 * Commands for targets without an agent: fixed templates, whose few places take only what has passed its pattern, in single quotes.
 * The login shell of the account sees `COMMAND` alone; what is to be done goes to that sh as its input, whatever the login shell is.
 */
export const COMMAND = '/bin/sh -s'

const DAEMON = /^[A-Za-z0-9_][A-Za-z0-9:_.@-]{0,99}$/
const ADDRESS = /^(?:\d{1,3}\.){3}\d{1,3}$/
const DEVICE = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}$/
const NUMBER = /^\d{1,15}$/

function safe(text: string | number, pattern: RegExp): string {
  if (!pattern.test(String(text))) throw new RingwardError('CONFIGURATION_INVALID', `"${String(text).slice(0, 60)}" is not allowed in a command for a target; nothing was sent`)
  return `'${text}'`
}

const address = (text: string): string => safe(text, ADDRESS)
const device = (text: string): string => safe(text, DEVICE)

/**
 * In a function, so that the shell has read all before it runs any: no command can eat the rest of its input. The redirection is for good:
 * one for the call alone would be kept open, by copies, in what runs on in the background, and sshd would wait for that.
 */
function script(lines: readonly string[]): string {
  return [
    'main() {',
    'exec </dev/null 2>&1',
    'LC_ALL=C; export LC_ALL',
    'PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; export PATH',
    'as=; if [ "$(id -u)" != 0 ]; then if command -v sudo >/dev/null 2>&1; then as="sudo -n"; else as="doas -n"; fi; fi',
    ...lines,
    '}',
    'main',
    '',
  ].join('\n')
}

/** What is barred stays barred over a reboot, where the account's home can be written. */
const barFile = (vip: string): string => `bar=$HOME/.; [ -w "$bar" ] || bar=/var/run/; bar="\${bar}ringward-barred-"${address(vip)}`
const IS_BARRED = (epoch: number): string => `barred=$(cat "$bar" 2>/dev/null); [ "\${barred:-0}" -ge ${safe(epoch, NUMBER)} ]`
const listing = (system: PlainSystem): string[] => ['echo "addresses"', system.addresses === 'ip' ? 'ip -o -4 addr show' : 'ifconfig -a', 'echo "end $?"']

export function identifyScript(lines: readonly string[]): string {
  return script(lines)
}

export function lookScript(system: PlainSystem): string {
  return script(listing(system))
}

/** Bars the epoch, then lists: an order to give it that is still on its way comes to nothing. */
export function barScript(system: PlainSystem, vip: string, epoch: number): string {
  return script([
    barFile(vip),
    `if ${IS_BARRED(epoch)}; then :; else echo ${safe(epoch, NUMBER)} > "$bar.new" && mv -f "$bar.new" "$bar" || { echo "end 9"; return; }; fi`,
    ...listing(system),
  ])
}

export function removeScript(system: PlainSystem, held: readonly HeldAddress[]): string {
  return script([...held.map(each => `$as ${removal(system, each)}`), ...listing(system)])
}

function removal(system: PlainSystem, each: HeldAddress): string {
  if (system.addresses === 'ifconfig') return `ifconfig ${device(each.device)} inet ${address(each.address)} -alias`
  return `ip addr del ${address(each.address)}/${safe(each.prefix, NUMBER)} dev ${device(each.device)}`
}

/** Adds and announces; looks at the bar before and after, for a `release` may come in between. */
export function giveScript(system: PlainSystem, added: HeldAddress, epoch: number): string {
  return script([
    barFile(added.address),
    `if ${IS_BARRED(epoch)}; then echo barred; else`,
    `$as ${addition(system, added)}`,
    `if ${IS_BARRED(epoch)}; then echo barred; $as ${removal(system, added)}; else`,
    ...announcement(system, added),
    'fi; fi',
    ...listing(system),
  ])
}

function addition(system: PlainSystem, each: HeldAddress): string {
  // A second address of the same network has all bits set there (ifconfig(8)).
  if (system.addresses === 'ifconfig') return `ifconfig ${device(each.device)} inet ${address(each.address)}/32 alias`
  return `ip addr add ${address(each.address)}/${safe(each.prefix, NUMBER)} dev ${device(each.device)}`
}

/** FreeBSD announces an alias itself. The two programs called arping (iputils and Habets) take their arguments differently. */
function announcement(system: PlainSystem, { device: name, address: vip }: HeldAddress): string[] {
  if (system.addresses === 'ifconfig') return [':']
  return [`if command -v arping >/dev/null 2>&1; then ( $as arping -q -U -c 2 -I ${device(name)} ${address(vip)} || $as arping -q -U -c 2 -i ${device(name)} ${address(vip)} ) >/dev/null 2>&1 & else echo "no arping"; fi`]
}

const RESTARTS: Readonly<Record<ServiceManager, (unit: string) => readonly string[]>> = {
  // A unit that failed too often refuses every start until its counter is cleared.
  systemd: unit => [`$as systemctl reset-failed ${unit}`, `$as systemctl restart ${unit} && systemctl is-active ${unit}`],
  OpenRC: unit => [`$as rc-service ${unit} restart && rc-service ${unit} status`],
  sysvinit: unit => [`if command -v service >/dev/null 2>&1; then $as service ${unit} restart; else $as /etc/init.d/${unit} restart; fi`],
  // "one": whether or not rc.conf enables it.
  'FreeBSD rc': unit => [`$as service ${unit} onerestart && service ${unit} onestatus`],
}

export function restartScript(services: ServiceManager, daemon: string): string {
  return script([...RESTARTS[services](safe(daemon, DAEMON)), 'echo "end $?"'])
}

/** A second later, so that the answer leaves first. */
export function rebootScript(services: ServiceManager): string {
  const command = services === 'systemd' ? '$as systemctl reboot || $as systemctl reboot --force' : '$as shutdown -r now || $as reboot'
  return script([`( sleep 1; ${command} ) >/dev/null 2>&1 &`, 'echo "end 0"'])
}

export interface ScriptAnswer {
  readonly status: number
  /** Before the list of addresses. */
  readonly said: string
  readonly addresses: string
}

/** Undefined when the script did not come to its end: what it did is not known. */
export function parseAnswer(text: string): ScriptAnswer | undefined {
  const found = /^((?:[^]*\n)?)end (\d{1,3})\n$/.exec(text)
  if (!found) return undefined
  const [said = '', ...rest] = (found[1] ?? '').split(/^addresses\n/m)
  return { status: Number(found[2]), said: said.trim(), addresses: rest.join('') }
}
