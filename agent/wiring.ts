import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { ControlServer } from '../src/control/control-server.ts'
import type { Command } from '../src/core/command.ts'
import { serverOf } from '../src/core/context.ts'
import type { Inventory, Server } from '../src/core/inventory.ts'
import { initialState, type State } from '../src/core/state.ts'
import { AlertHook } from '../src/edges/alert-hook/alert-hook.ts'
import { ArpingAnnouncer } from '../src/edges/address/arping-announcer.ts'
import { SystemClock } from '../src/edges/clock.ts'
import type { Hypervisor } from '../src/edges/hypervisor/hypervisor.ts'
import { networkOf } from '../src/edges/hypervisor/qemu-arguments.ts'
import { Libp2pPeers } from '../src/edges/peers/libp2p-peers.ts'
import type { PeerMember } from '../src/edges/peers/peers.ts'
import { CommandPowerSwitch } from '../src/edges/power/command-power-switch.ts'
import { wake } from '../src/edges/power/wake-on-lan.ts'
import { SystemProber } from '../src/edges/probes/system-prober.ts'
import { SshHand } from '../src/edges/remote-hand/ssh-hand.ts'
import { SshPlainHand } from '../src/edges/remote-hand/ssh-plain-hand.ts'
import { ShareClient } from '../src/edges/share/share-client.ts'
import { StallMeter } from '../src/edges/stall-meter.ts'
import { ProcSurvey } from '../src/edges/survey/proc-survey.ts'
import { reasonOf } from '../src/errors.ts'
import { GuardClient } from '../src/guard/guard-client.ts'
import { stamp } from '../src/report/moments.ts'
import type { ShareReport } from '../src/report/status.ts'
import { adopt } from './adopt.ts'
import { leaveAnnounced } from './announced-leave.ts'
import { answer, controlHandlers, type ControlParts } from './control-handlers.ts'
import { GivingOrders } from './giving-orders.ts'
import { onGuardNotice } from './guard-notices.ts'
import { GuardVoice } from './guard-voice.ts'
import { HealthMeter } from './health-meter.ts'
import { createHypervisor } from './hypervisor.ts'
import { Journal } from './journal.ts'
import { leaveManagement } from './leave.ts'
import { LoadMeter } from './load-meter.ts'
import { Loop } from './loop.ts'
import { PowerOrders } from './power-orders.ts'
import { Relay } from './relay.ts'
import { loadNewerInventory, type AgentSettings } from './settings.ts'
import { ShareOrders } from './share-orders.ts'
import { StandbyCheck } from './standby-check.ts'
import { touchServices } from './touch.ts'
import { ViewsWriter } from './views-writer.ts'
import { pingInterval_ms, WatchOrders } from './watch-orders.ts'

/** Virtual servers that ended by themselves are noticed within that time. */
const CHECK_VIRTUAL_SERVERS_MS = 1_000
/** A host that the operator calls dead has so long to answer. */
const PING_LIMIT_MS = 1_000

/** The composition root: the one place that knows concrete edges. It wires them to the core and decides nothing. */
export class Agent {
  private readonly clock = new SystemClock()
  private readonly ending = new AbortController()
  private readonly state: State
  private readonly loop: Loop
  private readonly journal: Journal
  private readonly share: ShareClient
  private readonly guard: GuardClient
  private readonly guard_voice: GuardVoice
  private readonly peers: Libp2pPeers
  private readonly hypervisor: Hypervisor
  private readonly giving: GivingOrders
  private readonly watching: WatchOrders
  private readonly power: PowerOrders
  private readonly share_orders: ShareOrders
  private readonly load: LoadMeter
  private readonly prober: SystemProber
  private health: HealthMeter | undefined
  private standby: StandbyCheck | undefined
  private readonly alerts: AlertHook | undefined
  private readonly relay: Relay
  private readonly control: ControlServer
  private readonly settings: AgentSettings
  private readonly diagnostics: Logger
  private views: ViewsWriter | undefined
  private check: NodeJS.Timeout | undefined
  /** Every server this agent has known: the end of what was given for one that was taken out of the ring still needs its record. */
  private readonly servers = new Map<string, Server>()
  private taking_up: Promise<void> = Promise.resolve()

  constructor(settings: AgentSettings, diagnostics: Logger, onBroken: (error: unknown) => void) {
    this.settings = settings
    this.diagnostics = diagnostics
    const { clock } = this
    const { inventory, profile, self, places, host, keys } = settings
    const problem = (text: string): void => this.problem(text)
    const server = (name: string): Server => this.servers.get(name) ?? serverOf(this.state, name)
    this.know(inventory)
    this.state = initialState(self.name, inventory, profile, clock.wall().getTime() - clock.boot_ms(), clock.boot_ms())
    this.state.program = settings.running
    this.share = new ShareClient({ directory: host.share, host: self.name, helper: [process.execPath, join(settings.program, 'share-helper.mjs')], clock, onProblem: problem })
    this.journal = new Journal({ host: self.name, places, clock, share: this.share, onProblem: text => diagnostics.warn(text) })
    this.loop = new Loop({ state: this.state, clock, onReasons: reasons => this.journal.reasons(reasons), carryOut: command => this.carryOut(command), onBroken })
    const post = this.loop.post.bind(this.loop)
    this.guard = new GuardClient({ path: places.guard_socket, role: 'agent', onNotice: notice => onGuardNotice(notice, post, problem) })
    this.guard_voice = new GuardVoice({ guard: this.guard, clock, post, problem })
    this.hypervisor = createHypervisor(self.hypervisor, { share_vm_directory: join(host.share, 'vm'), run_directory: places.virtual_servers, bridge: host.bridge ?? host.device, network: () => networkOf(this.state.inventory), log: text => diagnostics.info(text), clock, onEnd: () => void this.giving.checkVirtualServers(this.ending.signal) })
    this.alerts = host.alert_command && new AlertHook({ command: host.alert_command, onProblem: problem })
    const announcer = new ArpingAnnouncer(clock, problem)
    const hand = new SshHand({ clock, private_key: Buffer.from(keys.hand_key) })
    const handedOver = (name: string): boolean => this.state.functions.get(name)?.claim?.proof === 'hand-over'
    this.peers = this.createPeers(post)
    this.relay = new Relay({ send: (to, message) => this.peers.send(to, message), answer: verb => answer(control, verb) })
    const prober = this.prober = new SystemProber({ clock, onProblem: problem })
    this.giving = new GivingOrders({
      hypervisor: this.hypervisor, guard: this.guard, announcer, device: host.device, serverOf: server, post, ownAddresses,
      handedOver, margin_ms: profile.stop_ms / 4, touch: (name, address, signal) => touchServices(prober, server(name), address, signal),
    })
    this.watching = new WatchOrders({
      clock, prober, hand,
      appliances: { hand: new SshPlainHand({ clock, private_key: Buffer.from(keys.hand_key) }), inUse: (vip, signal) => announcer.inUse(vip, host.device, signal), handedOver },
      wake: (mac, signal) => wake(mac, self.address, signal), setNeighbours: names => this.peers.setNeighbours(names),
      serverOf: server, interval_ms: inventory.interval_ms, signal: this.ending.signal, post,
    })
    this.power = new PowerOrders({ power: new CommandPowerSwitch(clock), serverOf: server, signal: this.ending.signal, post })
    this.share_orders = new ShareOrders(this.share, clock, profile, (name, epoch) => this.giving.bar(name, epoch), post)
    this.load = new LoadMeter(new ProcSurvey({ clock, device: host.device }), inventory.interval_ms, post, error => diagnostics.warn({ error: reasonOf(error) }, 'the load cannot be read'))
    const control: ControlParts = { state: this.state, clock, incidents: this.journal.incidents, hand, orders: this.share, share: () => this.shareReport(), relay: () => this.relay, ping: (address, signal) => prober.ping(address, PING_LIMIT_MS, signal), post }
    this.control = new ControlServer({ path: places.control_socket, handlers: controlHandlers(control) })
  }

  private createPeers(post: Loop['post']): Libp2pPeers {
    const { inventory, self, keys } = this.settings
    const members = membersOf(inventory)
    const own = members.find(({ name }) => name === self.name) ?? { name: self.name, address: self.address, port: inventory.peer_port, peer_id: self.peer_id }
    return new Libp2pPeers({
      self: own, members, identity: keys.identity_key, psk: keys.ring_psk, clock: this.clock, log: (text, details) => this.diagnostics.debug(details, text),
      events: {
        onMessage: (from, message) => { if (!this.relay.take(from, message)) post({ event: 'message', from, message }) },
        onGossip: (from, message) => post({ event: 'message', from, message }),
        onReach: (host, reachable, why) => post({ event: 'reach', host, reachable, why }),
        onRefused: what => this.journal.warn(`Peer_refused: ${what}`),
      },
    })
  }

  async start(): Promise<void> {
    const { clock, settings: { self, inventory, profile } } = this
    this.journal.start()
    this.journal.note(`Management_starts_(version_${inventory.version},_profile_${profile.name},_interval_${inventory.interval_ms}_ms)`)
    await this.control.start()
    await adopt({ guard: this.guard, hypervisor: this.hypervisor, giving: this.giving, servers: inventory.servers, post: event => this.loop.post(event), problem: text => this.problem(text) })
    this.loop.post({ event: 'timer' })
    await this.peers.start(this.ending.signal)
    this.views = new ViewsWriter(this.state, this.share)
    this.health = new HealthMeter({ stalls: new StallMeter(this.clock), prober: this.prober, address: self.address, ping_interval_ms: pingInterval_ms(inventory), wall_offset_ms: () => clock.wall().getTime() - clock.boot_ms(), unwritten: () => this.journal.unwritten, post: event => this.loop.post(event) })
    this.standby = new StandbyCheck({ share: this.share, hypervisor: this.hypervisor, servers: () => this.state.inventory.servers, post: event => this.loop.post(event) })
    this.check = setInterval(() => void this.giving.checkVirtualServers(this.ending.signal), CHECK_VIRTUAL_SERVERS_MS)
    this.diagnostics.info({ host: self.name, version: inventory.version }, 'management runs')
  }

  /** Another publication: who joins or leaves the ring does so here without a restart. What cannot be taken up is said, and the former configuration goes on. */
  takeUpConfiguration(): Promise<void> {
    this.taking_up = this.taking_up.then(async () => {
      try {
        const inventory = await loadNewerInventory(this.settings.places, this.state.inventory, this.state.self)
        if (this.ending.signal.aborted || inventory.version === this.state.inventory.version) return
        this.know(inventory)
        this.loop.post({ event: 'inventory', inventory })
        this.watching.readdress()
        this.peers.setMembers(membersOf(inventory))
        this.diagnostics.info({ version: inventory.version, servers: this.state.order }, 'the configuration is taken up')
      } catch (error) {
        this.problem(`the newer configuration is not taken up: ${reasonOf(error)}`)
      }
    })
    return this.taking_up
  }

  private know({ servers }: Inventory): void {
    for (const server of servers) this.servers.set(server.name, server)
  }

  /** Clean end of management (the flag is gone): the service stays, unmanaged. */
  async leave(): Promise<void> {
    await this.stopDeciding()
    await leaveManagement({
      state: this.state, hypervisor: this.hypervisor, share: this.share, guard: this.guard,
      virtualServerOf: name => (this.servers.get(name) ?? serverOf(this.state, name)).virtual_server.name, note: text => this.journal.note(text),
    })
    await this.close()
  }

  /** The system goes down: hand over first, say goodbye last. */
  async handOver(why: 'shutdown' | 'reboot'): Promise<void> {
    await leaveAnnounced({
      state: this.state, clock: this.clock, guard: this.guard, writing: () => this.share_orders.writing,
      post: event => this.loop.post(event), note: text => this.journal.note(text),
    }, why)
    await this.stopDeciding()
    await this.close()
  }

  private async stopDeciding(): Promise<void> {
    this.loop.stop()
    clearInterval(this.check)
    this.views?.stop()
    this.stopMeters()
    await this.giving.end()
  }

  /** What is left of the edges ends, their children with them; virtual servers go on. */
  private async close(): Promise<void> {
    this.ending.abort()
    await Promise.allSettled([this.control.stop(), this.hypervisor.close(), this.journal.end()])
  }

  private carryOut(command: Exclude<Command, { command: 'timer' }>): void {
    switch (command.command) {
      case 'observe': return void this.share_orders.observe()
      case 'claim': return void this.share_orders.claim(command)
      case 'release': return void this.share_orders.release(command)
      case 'pill': return void this.share_orders.pill(command)
      case 'gateway': return void this.watching.gateway(this.state.inventory.gateway)
      case 'prepare': return void this.giving.prepare(command)
      case 'serve': return void this.giving.serve(command)
      case 'stop': return void this.giving.stop(command)
      case 'watch': return this.watching.watch(command)
      case 'examine': return void this.watching.examine(command)
      case 'probe': return void this.watching.probe(command)
      case 'hand': return void this.watching.hand(command)
      case 'wake': return void this.watching.wake(command)
      case 'power': return void this.power.order(command)
      case 'survey': return this.load.close()
      case 'send': return void this.peers.send(command.to, command.message)
      case 'publish': return this.peers.publish(command.message)
      case 'ride': return this.guard_voice.tell({ verb: 'ride', until_ms: command.until_ms, promised: command.promised })
      case 'electorate': return this.guard_voice.tell({ verb: 'electorate', names: command.names, ...command.may_miss === undefined ? {} : { may_miss: command.may_miss } })
      case 'alert': return this.tellAlert(command)
      case 'incident': return this.journal.incident(command.entry)
    }
  }

  private stopMeters(): void {
    this.load.stop()
    this.guard_voice.stop()
    this.standby?.stop()
    void this.health?.stop()
    void this.alerts?.stop()
  }

  private tellAlert({ alert, state, since_ms }: Extract<Command, { command: 'alert' }>): void {
    const { clock } = this
    const moments = { now_ms: clock.boot_ms(), wall: clock.wall() }
    this.alerts?.tell({ schema: 'ringward.alert/1', at: moments.wall.toISOString(), host: this.state.self, state, ...alert, since: stamp(moments, since_ms) ?? '' })
  }

  private shareReport(): ShareReport {
    const { state, latency_ms } = this.share.state
    return { state: state === 'good' ? 'ok' : state === 'slow' ? 'slow' : 'silent', latency_ms }
  }

  private problem(text: string): void {
    this.diagnostics.warn(text)
    this.journal.warn(text)
  }
}

function membersOf({ servers, peer_port }: Inventory): PeerMember[] {
  return servers.filter(({ peer_id }) => peer_id !== '').map(({ name, address, peer_id }) => ({ name, address, peer_id, port: peer_port }))
}

function ownAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap(entries => (entries ?? []).map(({ address }) => address)))
}
