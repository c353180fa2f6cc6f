import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrFail } from '../../src/edges/command.ts'
import { askBoard } from './board-protocol.ts'
import { cgroupsOf, leaderOf } from './cgroups.ts'
import { durationMs } from './durations.ts'
import { thawAll } from './down.ts'
import { failed, runInside, runInsideOrFail } from './exec.ts'
import { failMachines, healMachines } from './failing-hypervisor.ts'
import { BROADCAST_ADDRESS, SWITCH_ADDRESS, WAKE_PORT } from './hosts.ts'
import { publishAnother } from './install-ringward.ts'
import { hostOf, hostPlaces, LabError, type Lab } from './lab.ts'
import { healLossy, makeLossy } from './lossy-port.ts'
import { cutBetween, healNetwork, healPort, isolate, loseAnnouncements } from './network.ts'
import { NO_WAKE_FILE } from './power-board.ts'
import { PROGRAMS, programPids, type Program } from './programs.ts'
import { healState, spoilState, SPOILED } from './saved-state.ts'
import { cutShare, emptyShare, fillShare, hangShare, healShare, makeShareReadOnly, readyShare, shareState } from './share.ts'
import { healClock, moveClock } from './wall-clock.ts'
import { giveWrongKey, healKey } from './wrong-key.ts'

export interface Fault {
  readonly usage: string
  readonly about: string
  readonly run: (lab: Lab, args: readonly string[]) => Promise<string>
}

const DROP_IN = '/run/systemd/system'
const LOAD_KINDS = ['cpu', 'memory', 'network']
const STRESS_UNIT = 'lab-stress'

function hostArgument(lab: Lab, args: readonly string[]): string {
  return hostOf(lab, args[0] ?? '').name
}

/** One of them, or `all`. */
function hostsArgument(lab: Lab, which: string | undefined): string[] {
  return which === 'all' ? lab.hosts.map(host => host.name) : [hostOf(lab, which ?? '').name]
}

function isOn(lab: Lab, host: string): boolean {
  return leaderOf(cgroupsOf(lab.id, host)) !== undefined
}

/** The units of a daemon: a host's own are known, any other is taken by its name. */
function unitsOf(lab: Lab, host: string, daemon: string | undefined): readonly string[] {
  const plan = hostOf(lab, host)
  if (daemon === undefined || daemon === plan.daemon) return plan.units
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/.test(daemon)) throw new LabError(`"${daemon}" is not the name of a service`, 2)
  return [daemon]
}

async function systemctl(lab: Lab, host: string, ...args: string[]): Promise<void> {
  await runInsideOrFail(lab, host, ['systemctl', '--no-ask-password', ...args])
}

/** Waits until they have stopped. Whoever watches them may start them again before that: then its job has taken the place of ours, and they have stopped all the same. */
async function stopUnits(lab: Lab, host: string, units: readonly string[]): Promise<void> {
  const command = ['systemctl', '--no-ask-password', 'stop', ...units]
  const result = await runInside(lab, host, command)
  if (result.status !== 0 && !isOvertaken(result.stderr)) throw failed(host, command, result)
}

/** Whether systemd says of a stop nothing but that another job has taken its place. */
export function isOvertaken(words: string): boolean {
  const lines = words.split('\n').filter(line => line !== '')
  return lines.length > 0 && lines.every(line => /^Job for \S+ canceled\.$/.test(line))
}

async function breakDaemon(lab: Lab, host: string, daemon: string | undefined): Promise<string> {
  const units = unitsOf(lab, host, daemon)
  for (const unit of units) {
    const folder = `${DROP_IN}/${unit}.service.d`
    // In /run: gone with the reboot that is meant to heal it.
    await runInsideOrFail(lab, host, ['mkdir', '-p', folder])
    await runInsideOrFail(lab, host, ['sh', '-c', 'printf "[Service]\\nExecStartPre=/bin/false\\n" > "$1/broken.conf"', 'sh', folder])
  }
  await systemctl(lab, host, 'daemon-reload')
  await stopUnits(lab, host, units)
  return `${units.join(', ')} on ${host} stopped; it cannot be started before a reboot`
}

/** Existing sessions and the listening socket stay, nobody answers: connections are accepted by the kernel and then wait. */
async function muteDaemon(lab: Lab, host: string, daemon: string | undefined): Promise<string> {
  const units = unitsOf(lab, host, daemon)
  await systemctl(lab, host, 'kill', '--signal=SIGSTOP', ...units)
  return `${units.join(', ')} on ${host} is stopped in its tracks; connections are accepted and not answered`
}

async function load(lab: Lab, host: string, kind: string | undefined, amount: string | undefined): Promise<string> {
  if (kind === undefined || !LOAD_KINDS.includes(kind)) throw new LabError(`load what? one of ${LOAD_KINDS.join(', ')}`, 2)
  const number = Number(amount)
  if (!(number >= 0)) throw new LabError('how much? percent of one processor, megabytes, or megabits a second; 0 ends it', 2)
  const unit = `lab-load-${kind}`
  await runInside(lab, host, ['systemctl', 'stop', `${unit}.service`])
  if (number === 0) return `load ${kind} on ${host} ended`
  await runInsideOrFail(lab, host, ['systemd-run', '--quiet', '--collect', `--unit=${unit}`, 'node', '/usr/local/lib/lab/load.mjs', kind, String(number), SWITCH_ADDRESS])
  return `load ${kind} ${number} on ${host}`
}

async function stress(lab: Lab, host: string): Promise<void> {
  await runInside(lab, host, ['systemctl', 'stop', `${STRESS_UNIT}.service`])
  await runInsideOrFail(lab, host, ['systemd-run', '--quiet', '--collect', `--unit=${STRESS_UNIT}`, 'stress-ng', '--cpu', '0', '--quiet'])
}

/** Percent, and optionally how late. */
async function lossy(lab: Lab, hosts: readonly string[], percent: string | undefined, late: string | undefined): Promise<string> {
  const lost = Number(percent)
  if (!(lost >= 0 && lost <= 100)) throw new LabError('how many percent are lost? for example 30', 2)
  const late_ms = durationMs(late ?? '0s')
  await Promise.all(hosts.map(host => makeLossy(lab, host, lost, late_ms)))
  return `of the frames that ${hosts.join(', ')} send${hosts.length === 1 ? 's' : ''}, ${lost} % are lost${late_ms > 0 ? ` and the others are up to ${late_ms} ms late` : ''}`
}

function programArgument(which = 'agent'): Program {
  const program = PROGRAMS.find(each => each === which)
  if (!program) throw new LabError(`which program? one of ${PROGRAMS.join(', ')}`, 2)
  return program
}

function killProgram(lab: Lab, host: string, which: string | undefined): string {
  const program = programArgument(which)
  const pids = programPids(lab, host, program)
  if (pids.length === 0) throw new LabError(`no ${which} runs on ${host}`)
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  return `${program} on ${host} killed (${pids.length} ${pids.length === 1 ? 'process' : 'processes'})`
}

/** Runs in the client's namespace: six bytes of ones and the address sixteen times, to everybody. */
const MAGIC_PACKET_SENDER = `
const [mac, to, port] = process.argv.slice(1), socket = require('node:dgram').createSocket('udp4')
const packet = Buffer.concat([Buffer.alloc(6, 255), ...Array(16).fill(Buffer.from(mac.replaceAll(':', ''), 'hex'))])
socket.bind(() => { socket.setBroadcast(true); socket.send(packet, Number(port), to, () => socket.close()) })
`

/** Sends a magic packet from the client's place, as an admin would. */
async function wake(lab: Lab, host: string): Promise<string> {
  const { mac } = hostOf(lab, host)
  await runOrFail('ip', ['netns', 'exec', lab.client_namespace, process.execPath, '-e', MAGIC_PACKET_SENDER, mac, BROADCAST_ADDRESS, String(WAKE_PORT)], { limit_ms: 10_000 })
  return `magic packet for ${host} (${mac}) sent`
}

/** Ends every fault that lasts on one host; its power stays as it is. */
async function healHost(lab: Lab, host: string): Promise<void> {
  thawAll(lab.id, [host])
  await rm(join(hostPlaces(lab, host).base, NO_WAKE_FILE), { force: true })
  if (shareState(lab, host) !== 'good') await healShare(lab, host)
  else await readyShare(lab, host)
  await healLossy(lab, host)
  await healState(lab, host)
  await healKey(lab, host)
  if (!isOn(lab, host)) return
  await healMachines(lab, host)
  for (const pid of PROGRAMS.flatMap(program => programPids(lab, host, program))) process.kill(pid, 'SIGCONT')
  await healClock(lab, host)
  await runInside(lab, host, ['systemctl', 'stop', ...LOAD_KINDS.map(kind => `lab-load-${kind}.service`), `${STRESS_UNIT}.service`])
  for (const unit of hostOf(lab, host).units) {
    await runInside(lab, host, ['systemctl', 'kill', '--signal=SIGCONT', unit])
    await runInside(lab, host, ['rm', '-f', `${DROP_IN}/${unit}.service.d/broken.conf`])
  }
  await runInside(lab, host, ['systemctl', 'daemon-reload'])
}

async function heal(lab: Lab, args: readonly string[]): Promise<string> {
  const which = args[0] ?? 'all'
  if (which !== 'all') {
    await healPort(lab, hostOf(lab, which).name)
    await healHost(lab, which)
    return `${which} healed`
  }
  await emptyShare(lab)
  await healNetwork(lab)
  await Promise.all(lab.hosts.map(host => healHost(lab, host.name)))
  for (const host of lab.hosts) if (!isOn(lab, host.name)) await askBoard(lab, { verb: 'power-on', host: host.name }).catch(() => undefined)
  return 'every fault ended, every host has power'
}

function seconds(text: string | undefined): number {
  if (text === undefined) throw new LabError('for how long? for example 5s', 2)
  return durationMs(text) / 1_000
}

function sides(lab: Lab, text: string | undefined): [string[], string[]] {
  const [left, right] = (text ?? '').split('|').map(side => side.split(',').filter(Boolean).map(name => hostOf(lab, name).name))
  if (!left?.length || !right?.length) throw new LabError('split what? for example "mail,login|ftp,proxy" (in quotes)', 2)
  return [left, right]
}

export const FAULTS: Readonly<Record<string, Fault>> = {
  'power-off': { usage: 'HOST[,HOST…]', about: 'cut the power of one or, in the same instant, several: everything in the host is killed at once', run: async (lab, args) => {
    const hosts = (args[0] ?? '').split(',').map(name => hostOf(lab, name).name)
    await askBoard(lab, { verb: 'power-off', hosts })
    return `${hosts.join(', ')} ${hosts.length === 1 ? 'has' : 'have'} no power`
  } },
  'power-on': { usage: 'HOST', about: 'switch the power on', run: async (lab, args) => {
    await askBoard(lab, { verb: 'power-on', host: hostArgument(lab, args) })
    return `${args[0]} has power`
  } },
  wake: { usage: 'HOST', about: 'send a magic packet (Wake-on-LAN)', run: (lab, args) => wake(lab, hostArgument(lab, args)) },
  'no-wake': { usage: 'HOST', about: 'the host does not hear magic packets', run: async (lab, args) => {
    await writeFile(join(hostPlaces(lab, hostArgument(lab, args)).base, NO_WAKE_FILE), '')
    return `${args[0]} ignores magic packets`
  } },
  shutdown: { usage: 'HOST', about: 'systemctl poweroff', run: async (lab, args) => {
    await systemctl(lab, hostArgument(lab, args), '--no-block', 'poweroff')
    return `${args[0]} shuts down`
  } },
  reboot: { usage: 'HOST', about: 'systemctl reboot', run: async (lab, args) => {
    await systemctl(lab, hostArgument(lab, args), '--no-block', 'reboot')
    return `${args[0]} reboots`
  } },
  'stop-daemon': { usage: 'HOST [NAME]', about: 'systemctl stop', run: async (lab, args) => {
    const units = unitsOf(lab, hostArgument(lab, args), args[1])
    await stopUnits(lab, args[0] as string, units)
    return `${units.join(', ')} on ${args[0]} stopped`
  } },
  'break-daemon': { usage: 'HOST [NAME]', about: 'stop it; it fails to start until the host is rebooted', run: (lab, args) => breakDaemon(lab, hostArgument(lab, args), args[1]) },
  'mute-daemon': { usage: 'HOST [NAME]', about: 'it accepts connections and never answers', run: (lab, args) => muteDaemon(lab, hostArgument(lab, args), args[1]) },
  'kill-agent': { usage: `HOST [${PROGRAMS.join('|')}]`, about: 'kill -9 of the agent or another program of ringward', run: (lab, args) => Promise.resolve(killProgram(lab, hostArgument(lab, args), args[1])) },
  'freeze-agent': { usage: `HOST SECONDS [${PROGRAMS.join('|')}]`, about: 'SIGSTOP of the agent or another program of ringward', run: async (lab, args) => {
    const program = programArgument(args[2])
    await askBoard(lab, { verb: 'freeze-program', host: hostArgument(lab, args), program, seconds: seconds(args[1]) })
    return `the ${program} of ${args[0]} is frozen for ${seconds(args[1])} s`
  } },
  freeze: { usage: 'HOST SECONDS', about: 'everything in the host stops, then goes on', run: async (lab, args) => {
    await askBoard(lab, { verb: 'freeze', host: hostArgument(lab, args), seconds: seconds(args[1]) })
    return `${args[0]} is frozen for ${seconds(args[1])} s`
  } },
  'vm-fail': { usage: 'HOST', about: 'every virtual server there ends, and none starts before it is healed or rebooted', run: async (lab, args) => {
    const ended = await failMachines(lab, hostArgument(lab, args))
    return `virtual servers fail on ${args[0]} (${ended} ended)`
  } },
  clock: { usage: 'HOST ±SECONDS', about: 'the wall clock of ringward there is wrong by so much, until it is healed', run: async (lab, args) => {
    if (!/^[+-]?\d+$/.test(args[1] ?? '')) throw new LabError(`by how many seconds? for example +3600 or -3600`, 2)
    await moveClock(lab, hostArgument(lab, args), Number(args[1]) * 1_000)
    return `the wall clock of ringward on ${args[0]} is wrong by ${args[1]} s`
  } },
  load: { usage: 'HOST cpu|memory|network AMOUNT', about: 'percent of one processor, megabytes, or megabits a second; 0 ends it', run: (lab, args) => load(lab, hostArgument(lab, args), args[1], args[2]) },
  stress: { usage: 'HOST|all', about: 'every processor is busy in the host (stress-ng)', run: async (lab, args) => {
    const hosts = hostsArgument(lab, args[0])
    await Promise.all(hosts.map(host => stress(lab, host)))
    return `every processor is busy on ${hosts.join(', ')}`
  } },
  'spoil-state': { usage: `HOST ${SPOILED.join('|')}`, about: 'of the saved memory of its virtual server nothing is there, or half', run: async (lab, args) => {
    const how = SPOILED.find(each => each === args[1])
    if (!how) throw new LabError(`how? one of ${SPOILED.join(', ')}`, 2)
    await spoilState(lab, hostArgument(lab, args), how)
    return `the saved memory of the virtual server of ${args[0]} is ${how}`
  } },
  'wrong-key': { usage: 'HOST', about: "its agent starts again with another ring's key", run: async (lab, args) => {
    await giveWrongKey(lab, hostArgument(lab, args))
    return `${args[0]} has another ring's key`
  } },
  publish: { usage: '', about: 'another program under the next version; who runs goes on with its own (nothing to heal)', run: async lab => {
    const words: string[] = []
    await publishAnother(lab, text => words.push(text))
    return words.join('; ')
  } },
  'share-hang': { usage: 'HOST|all', about: 'the shared area stops answering', run: (lab, args) => onShares(lab, args[0], hangShare, 'hangs') },
  'share-cut': { usage: 'HOST|all', about: 'the shared area fails at once', run: (lab, args) => onShares(lab, args[0], cutShare, 'is cut off') },
  'share-off': { usage: '', about: 'the shared area fails for every host', run: lab => onShares(lab, 'all', cutShare, 'is cut off') },
  'share-read-only': { usage: 'HOST|all', about: 'every write to the shared area is refused; what stands there can be read', run: (lab, args) => onShares(lab, args[0], makeShareReadOnly, 'can only be read') },
  'share-full': { usage: '', about: 'nothing more can be written to the shared area; what stands there can be read and overwritten', run: async lab => {
    await fillShare(lab)
    return 'the shared area is full'
  } },
  cut: { usage: 'A B [--one-way]', about: 'no frame passes between two hosts (one way: from A to B)', run: async (lab, args) => {
    const [a, b] = [hostArgument(lab, args), hostOf(lab, args[1] ?? '').name]
    await cutBetween(lab, args.includes('--one-way') ? [[a, b]] : [[a, b], [b, a]])
    return `${a} and ${b} are cut apart`
  } },
  isolate: { usage: 'HOST', about: 'no frame leaves or reaches the host', run: async (lab, args) => {
    await isolate(lab, hostArgument(lab, args))
    return `${args[0]} is alone`
  } },
  split: { usage: "'A,B|C,D'", about: 'two groups of hosts do not hear each other', run: async (lab, args) => {
    const [left, right] = sides(lab, args[0])
    await cutBetween(lab, left.flatMap(a => right.flatMap((b): [string, string][] => [[a, b], [b, a]])))
    return `${left.join(', ')} and ${right.join(', ')} are split`
  } },
  lossy: { usage: 'HOST|all PERCENT [LATE]', about: 'of the frames a host sends so many are lost, the others late by up to so long', run: (lab, args) => lossy(lab, hostsArgument(lab, args[0]), args[1], args[2]) },
  'lose-announcements': { usage: 'HOST', about: 'nothing the giver of its VIP broadcasts passes the switch: who knows the address goes on asking the former giver', run: async (lab, args) => {
    await loseAnnouncements(lab, hostArgument(lab, args))
    return `announcements of the VIP of ${args[0]} are lost`
  } },
  heal: { usage: '[HOST|all]', about: 'end every lasting fault; with "all" also power on', run: heal },
}

async function onShares(lab: Lab, which: string | undefined, act: (lab: Lab, host: string) => Promise<void>, what: string): Promise<string> {
  const hosts = hostsArgument(lab, which)
  await Promise.all(hosts.map(host => act(lab, host)))
  return `the shared area of ${hosts.join(', ')} ${what}`
}

/** Makes a fault happen; what happened, in words. Throws a usage error for an unknown verb or host. */
export async function fault(lab: Lab, verb: string, args: readonly string[]): Promise<string> {
  const found = Object.hasOwn(FAULTS, verb) ? FAULTS[verb] : undefined
  if (!found) throw new LabError(`unknown fault "${verb}"; known are ${Object.keys(FAULTS).join(', ')}`, 2)
  const least = found.usage.split(' ').filter(word => word !== '' && !word.startsWith('[')).length
  const most = found.usage.split(' ').filter(Boolean).length
  if (args.length < least || args.length > most) throw new LabError(`use: lab fault ${verb} ${found.usage}`, 2)
  return await found.run(lab, args)
}
