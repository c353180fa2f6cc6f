/** One host in virtual time: power, boot, services, virtual servers, guard, and an agent that runs the real core. */
import { MemoryAppliance } from '../edges/remote-hand/memory-appliance.ts'
import type { Command } from '../core/command.ts'
import type { Event } from '../core/event.ts'
import type { Inventory } from '../core/inventory.ts'
import { initialState, type State } from '../core/state.ts'
import { step } from '../core/step.ts'
import type { Charge } from '../guard/guard-protocol.ts'
import { noteAppliance } from './simulated-appliance.ts'
import { Freezes, type Freeze, type Frozen } from './freezes.ts'
import { SimulatedClock, type OwnTimer } from './simulated-clock.ts'
import { SimulatedTurns } from './simulated-turns.ts'
import { guardOf } from './guard-of-host.ts'
import type { SimulatedGuard } from './simulated-guard.ts'
import type { World } from './world.ts'
import { healthRounds, perform, pingRounds } from './simulated-edges.ts'

/** `mute`: the connection opens and nothing is answered; a restart heals it. */
export type ServiceCondition = 'good' | 'stopped' | 'mute' | 'broken until reboot'

export interface SimulatedVirtualServer {
  readonly function: string
  running: boolean
  /** Runs ahead of a hand-over, on no network: nobody but its host reaches it, and it reaches nothing. */
  cut_off?: boolean
  /** Runs and answers ARP, and its services do not answer. */
  mute?: boolean
  address: boolean
}

export class SimulatedHost {
  readonly name: string
  readonly world: World
  /** Of a host without an agent: its system, on which only a hand and this simulation act. */
  readonly appliance: MemoryAppliance | undefined
  readonly clock: SimulatedClock
  /** Whatever its agent does takes so many times longer; 1 unless the host is overloaded. */
  slowness = 1
  /** Timers come up to that much late: the agent's, and a third of it the guard's, which is scheduled first. */
  timers_late_ms = 0
  /** How many faults make it slow, or have made it slow for what is still under way. */
  overloads = 0
  /** Runs an older program than the others, or a newer one. */
  program: 'older' | 'newer' | undefined
  /** Its disk was put back to an older state: the next guard asks the share how far its generations have come. */
  old_disk = false
  /** Another's power command reaches its outlet. */
  power_answers = true
  /** Its processors are taken: what its agent waits for comes late or not at all, while its guard, scheduled first, goes on. */
  overloaded = false
  powered = false
  /** When it last lost its power, and when it was last called: woken, or switched on by its controller. */
  struck_ms = -Infinity
  called_ms = -Infinity
  /** Network up: answers ping. */
  up = false
  service: ServiceCondition = 'good'
  wakeable = true
  generation = 0
  /** Counts boots; whatever belongs to an earlier one is void. */
  boot = 0
  /** Counts agent processes likewise. */
  agent_life = 0
  guard: SimulatedGuard | undefined
  /** The publication this host has a copy of. */
  inventory: Inventory
  core: State | undefined
  readonly virtual_servers = new Map<string, SimulatedVirtualServer>()
  /** Functions whose VIP this host's own kernel holds. */
  readonly addresses = new Set<string>()
  watched: readonly string[] = []
  /** Counts preparations and stops of each virtual server. */
  readonly preparing = new Map<string, number>()
  /** Virtual servers whose memory is taken though they are not loaded yet. */
  readonly loading = new Set<string>()
  readonly turns = new SimulatedTurns()
  /** The agent's own. */
  private timer: OwnTimer | undefined
  private readonly freezes = new Freezes()
  private frozen_ms = 0
  /** What has come while the agent was frozen, in its order. */
  private readonly held: (() => void)[] = []

  constructor(name: string, world: World) {
    this.name = name
    this.world = world
    const server = world.inventory.servers.find(candidate => candidate.name === name)
    this.appliance = server && !server.agent ? new MemoryAppliance(server.address, server.daemons.map(daemon => daemon.name)) : undefined
    this.inventory = world.inventory
    this.clock = new SimulatedClock(world.queue)
  }

  powerOn(): void {
    if (this.powered) return
    const { queue, random } = this.world
    this.powered = true
    const boot = (this.boot += 1)
    queue.after(random.between(1_500, 3_000), () => {
      if (boot !== this.boot) return
      this.up = true
      this.service = 'good'
      this.world.note(`${this.name} is up`)
      // No agent, no guard: its system alone decides what it has.
      if (this.appliance) {
        this.appliance.boot()
        return noteAppliance(this)
      }
      queue.after(random.between(400, 900), () => boot === this.boot && this.startManagement())
    })
  }

  /** A fault of the service, wherever it is kept. */
  breakService(condition: ServiceCondition): void {
    this.service = condition
    // A mute daemon of an appliance is healed by a restart like a stopped one.
    const kept = condition === 'good' ? 'running' : condition === 'mute' ? 'stopped' : condition
    for (const daemon of this.appliance?.daemons.keys() ?? []) this.appliance!.daemons.set(daemon, kept)
  }

  powerOff(): void {
    if (this.powered) this.struck_ms = this.world.queue.now_ms
    this.boot += 1
    this.freezes.endAll()
    this.held.length = 0
    this.powered = false
    this.up = false
    this.stopAgent()
    this.guard?.powerOff()
    this.guard = undefined
    this.virtual_servers.clear()
    this.addresses.clear()
    this.world.changed()
  }

  /** While it is off its disk is put back to a state that many generations ago. */
  restoreDisk(generations: number): void {
    this.generation = Math.max(0, this.generation - generations)
    this.old_disk = true
  }

  reboot(): void {
    this.powerOff()
    this.powerOn()
  }

  startManagement(): void {
    // At each start the newest publication is fetched, if that is possible.
    if (!this.world.share.isAway(this.name)) this.inventory = this.world.inventory
    if (!this.isMember()) return
    if (this.world.broken.address_at_boot) {
      this.addresses.add(this.name)
      this.world.changed()
    }
    this.startGuard(undefined)
    this.startAgent()
  }

  private isMember(): boolean {
    return this.inventory.servers.some(server => server.name === this.name)
  }

  /** The Executer has fetched another publication: the agent takes it up, or management ends or begins. */
  learn(inventory: Inventory): void {
    const { world, name, core } = this
    const gone = this.inventory.servers.filter(server => !inventory.servers.some(other => other.name === server.name))
    this.inventory = inventory
    if (!this.isMember()) return this.endManagement()
    if (!core && !this.guard && this.up) return this.startManagement()
    this.handle({ event: 'inventory', inventory })
    for (const server of gone) world.parted(name, server.name)
    if (core) world.announceReach(name, true)
  }

  setFlag(on: boolean): void {
    if (!on && this.core) this.endManagement()
    if (on && this.up && !this.core && !this.guard) this.startManagement()
  }

  /** As without the flag: the own service stays, virtual servers of others are stopped and released. */
  private endManagement(): void {
    const given = [...this.core?.giving.values() ?? []].filter(giving => giving.kind === 'virtual')
    const claims = given.flatMap(giving => this.core?.functions.get(giving.function)?.claim ?? []).filter(claim => claim.holder === this.name)
    this.stopAgent()
    this.guard?.leave()
    this.guard = undefined
    this.virtual_servers.clear()
    this.world.changed()
    for (const { function: name, epoch } of claims) this.world.share.release(this.name, { schema: 'ringward.release/1', function: name, epoch, how: 'goodbye', by: this.name }, () => undefined)
  }

  private startGuard(former: SimulatedGuard | undefined): void {
    this.generation += 1
    const guard = guardOf(this, former)
    this.guard = guard
    this.noteGeneration(guard.generation)
    guard.agentPresent(this.core !== undefined)
    if (this.frozen === 'everything') guard.freeze()
    if (!this.old_disk) return guard.begin()
    guard.beginFromOldDisk(() => {
      this.old_disk = false
      this.noteGeneration(guard.generation)
    })
  }

  /** On its disk before it is used. */
  noteGeneration(generation: number): void {
    this.generation = Math.max(this.generation, generation)
  }

  /** A remote hand's release: why it was refused, or undefined when the VIP is gone. */
  takeOff(name: string, epoch: number): string | undefined {
    if (!this.guard?.running) return 'the guard does not run'
    if (!this.guard.answers) return 'the guard does not answer'
    this.guard.bar(name, epoch)
    const standing = this.guard.charge(name)
    if (standing && standing.epoch > epoch) return `epoch ${standing.epoch} is in charge`
    this.addresses.delete(name)
    return undefined
  }

  killGuard(): void {
    const former = this.guard
    if (!former || this.frozen === 'everything') return
    former.kill()
    const { boot } = this
    this.world.queue.after(this.world.random.between(100, 900), () => {
      if (boot === this.boot && this.guard === former) this.startGuard(former)
    })
  }

  startAgent(): void {
    const { world } = this
    const life = (this.agent_life += 1)
    this.core = initialState(this.name, this.inventory, world.profile, 0, this.clock.now_ms)
    this.timer = this.clock.timer(() => life === this.agent_life && this.handle({ event: 'timer' }))
    this.turns.clear()
    this.guard?.agentPresent(true)
    world.announceReach(this.name, true)
    for (const charge of this.guard?.charges() ?? []) if (this.finishStart(charge)) this.handle({ event: 'adopted', function: charge.function, epoch: charge.epoch, kind: charge.kind })
    this.handle({ event: 'timer' })
    pingRounds(this, life)
    healthRounds(this, life)
  }

  /** As the agent does it: what its former life had started only half is put on its address, or ended and taken up anew. */
  private finishStart(charge: Charge): boolean {
    if (charge.kind === 'native') return true
    const server = this.virtual_servers.get(charge.function)
    if (!server?.running) {
      this.guard?.disarm(charge.function)
      this.virtual_servers.delete(charge.function)
      return false
    }
    server.address = true
    this.world.changed()
    return true
  }

  stopAgent(): void {
    if (!this.core) return
    this.agent_life += 1
    this.core = undefined
    this.held.length = 0
    this.freezes.endOfAgent()
    this.loading.clear()
    this.guard?.agentPresent(false)
    this.world.announceReach(this.name, false)
  }

  killAgent(): void {
    // None runs, and so none comes back: an appliance, a host without power, one that boots, or an agent killed a moment ago.
    if (!this.core || this.frozen === 'everything') return
    const { boot } = this
    this.stopAgent()
    this.world.queue.after(this.world.random.between(200, 900), () => {
      if (boot !== this.boot || this.core) return
      // What no guard holds was only prepared.
      for (const name of [...this.virtual_servers.keys()]) if (!this.guard?.charge(name)) this.virtual_servers.delete(name)
      this.startAgent()
    })
  }

  handle(event: Event): void {
    if (!this.core) return
    if (this.frozen) return void this.held.push(() => this.handle(event))
    this.world.onEvent?.(this, event)
    const { commands, reasons } = step(this.core, event, this.clock.now_ms)
    for (const reason of reasons) this.world.log(this.name, reason)
    this.world.onStepped?.(this)
    for (const command of commands) this.carryOut(command)
  }

  private carryOut(command: Command): void {
    if (command.command !== 'timer') return perform(this, command)
    this.timer!.set(Math.max(command.at_ms, this.clock.now_ms + 1) + this.lateness_ms())
  }

  /** How late a timer of its agent that is set now comes. */
  lateness_ms(): number {
    return this.timers_late_ms === 0 ? 0 : this.world.weather.between(0, this.timers_late_ms)
  }

  get frozen(): Frozen | undefined {
    return this.freezes.furthest
  }

  /** With everything virtual servers stand still as well. The result ends this freeze. */
  freeze(what: Frozen): () => void {
    if (!this.up) return () => undefined
    const before = this.frozen
    if (before === undefined) this.frozen_ms = this.world.queue.now_ms
    if (what === 'everything' && before !== 'everything') this.guard?.freeze()
    const freeze = this.freezes.begin(what)
    if (before === undefined) this.world.fallSilent(this.name, () => this.frozen !== undefined)
    this.world.changed()
    return () => this.thaw(freeze)
  }

  /** What is overdue ends in the same instant; then the agent's timer, then what has come meanwhile, the guard's words included. */
  private thaw(freeze: Freeze): void {
    if (!this.freezes.stands(freeze)) return
    if (this.freezes.isLastOfEverything(freeze)) this.guard?.thaw()
    this.freezes.end(freeze)
    this.world.changed()
    if (this.frozen) return
    this.handle({ event: 'timer' })
    this.handle({ event: 'health', stalled_ms: Math.round(this.world.queue.now_ms - this.frozen_ms), own_probes_missed: 0 })
    for (const run of this.held.splice(0)) run()
    this.world.speakAgain(this.name)
  }

  /** Too slow for any bound, or still busy with what it began then. */
  get isSlow(): boolean {
    return this.overloads > 0
  }

  /** Its services as somebody finds them who opens a connection. */
  get answers(): ServiceCondition {
    return this.frozen === 'everything' ? 'mute' : this.service
  }

  /** Runs later, unless this agent's life or boot is over by then. */
  later(delay_ms: number, run: () => void): void {
    const life = this.agent_life
    this.world.queue.after(delay_ms * this.slowness, () => {
      if (life !== this.agent_life) return
      if (this.frozen) this.held.push(run)
      else run()
    })
  }
}
