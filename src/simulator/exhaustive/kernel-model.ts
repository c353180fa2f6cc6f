/** All that can happen in one state of the whole ring, and what must never be seen in it. Hosts and shared area are known by number. */
import { TICK_MS } from './coarse-time.ts'
import { HostCodec } from './host-codec.ts'
import { HostMoves, Numbers, type Act, type Move } from './host-moves.ts'
import { KernelActs } from './kernel-acts.ts'
import { formerGiver, livingHolder, lookAt, startWithoutClaim, twoGivers, type Look, type Violation } from './invariants.ts'
import type { ClaimOnItsWay, KernelHost, KernelRing, RideMessage, Sent, SharedClaim } from './kernel-host.ts'
import { addRelease, claimPlace, decodeArea, emptyArea, encodeArea, grownOlder, type SharedArea, type SharedLease } from './shared-area.ts'
import { tickNumber, tickState, type TickState } from './tick-state.ts'
import { duringOutage, faultOf, MISHAPS, MODES, OUTAGE, partsOf, type Part } from './turns.ts'

/** Hosts in ring order, then the shared area, then the tick: who had its turn, and what is wrong (`TickState`). */
export type RingState = Int32Array | readonly number[]

export interface Listener {
  /** `next` and `story`, what happened on the way to it, are only lent. */
  onNext(next: readonly number[], story: readonly string[]): void
  onViolation(violation: Violation, story: readonly string[]): void
  /** A claim, generation or death beyond the bounds was not followed. */
  onBound(): void
}

/** In the order in which they are delivered within a turn. */
const MESSAGES: readonly RideMessage['kind'][] = ['promise-request', 'promise', 'consent-request', 'consent']
/** Of one kind no host can do more in a turn: against an endless chain. */
const REPEATS_LIMIT = 32

export class KernelModel {
  readonly ring: KernelRing
  private readonly acts: KernelActs
  private readonly moves: HostMoves
  private readonly areas = new Numbers()
  private readonly parts = MODES.map(partsOf)
  private readonly outage_parts = MODES.map(mode => partsOf(duringOutage(mode)))
  private readonly looks: (Look | undefined)[] = []
  private readonly decoded_areas: (SharedArea | undefined)[] = []
  /** Results of what two sides take part in, by both. */
  private readonly pairs = new Map<string, number>()
  /** The state a turn has come to, and how. */
  private readonly now: number[]
  private story: string[] = []
  /** Acts that show that the search comes to what the rules are about, and how often: claims won by each proof, rides. */
  readonly sights = new Map<string, number>()

  constructor(ring: KernelRing) {
    this.ring = ring
    this.acts = new KernelActs(ring)
    this.moves = new HostMoves(ring, new HostCodec(ring), this.acts)
    this.now = new Array<number>(ring.names.length + 2).fill(0)
  }

  /** Everything has just been switched on and nothing was ever claimed. */
  start(): number[] {
    return [...this.ring.names.map(name => this.moves.numberOf(this.ring.newHost(name))), this.areas.of(encodeArea(emptyArea())), 0]
  }

  /** Different hosts and shared areas met so far. */
  get sizes(): { readonly hosts: number; readonly areas: number } {
    return { hosts: this.moves.numbers.texts.length, areas: this.areas.texts.length }
  }

  // What follows a state

  /** In a tick each host has one turn, in any order: states in which several have come half-way are no states of their own. */
  follow(state: RingState, listener: Listener): void {
    const { names, bounds } = this.ring
    const tick = tickState(state[names.length + 1]!)
    for (let host = 0; host < names.length; host += 1) {
      if ((tick.had & 1 << host) !== 0) continue
      const standing = tick.modes[host]!
      for (let mode = 0; mode < MODES.length; mode += 1) {
        const begins = mode !== standing && mode !== 0
        if (begins && !this.mayBegin(MODES[mode]!.name, host)) continue
        if (begins && tick.faults >= bounds.faults) listener.onBound()
        else this.turn(state, { ...tick, faults: tick.faults + (begins ? 1 : 0), modes: tick.modes.with(host, mode) }, host, listener)
      }
    }
    if (tick.had !== (1 << names.length) - 1) return
    for (const outage of [false, true]) {
      const begins = outage && !tick.outage
      if (begins && !this.mayBegin(OUTAGE)) continue
      if (begins && tick.faults >= bounds.faults) listener.onBound()
      else this.tick(state, { ...tick, had: 0, outage, faults: tick.faults + (begins ? 1 : 0) }, listener)
    }
  }

  private mayBegin(fault: string, host?: number): boolean {
    const { bounds: { only }, names } = this.ring
    return !only || only.includes(fault) || (host !== undefined && only.includes(faultOf(names[host]!, fault)))
  }

  /** One host's turn in its mode, with every act of a manager or mishap that it can meet. */
  private turn(state: RingState, tick: TickState, host: number, listener: Listener): void {
    const mode = tick.modes[host]!
    const parts = (tick.outage ? this.outage_parts : this.parts)[mode]!
    const after = { ...tick, had: tick.had | 1 << host }
    const play = (extra: Act | undefined, faults: number): void => {
      this.begin(state, `${this.ring.names[host]}: ${MODES[mode]!.name}${tick.outage ? `, ${OUTAGE}` : ''}`)
      if (this.play(host, tick, parts, extra, listener)) this.end({ ...after, faults }, listener)
    }
    play(undefined, tick.faults)
    if (MODES[mode]!.agent !== 'frozen') for (const act of ['nominated', ...this.ring.bounds.hand_overs ? ['asked to return'] as const : []] as const) play(act, tick.faults)
    if (tick.faults >= this.ring.bounds.faults) return
    for (const mishap of MISHAPS) if (this.mayBegin(mishap, host)) play(mishap, tick.faults + 1)
  }

  private begin(state: RingState, what: string): void {
    for (let place = 0; place < this.now.length; place += 1) this.now[place] = state[place]!
    this.story = [what]
  }

  private end(tick: TickState, listener: Listener): void {
    this.now[this.ring.names.length + 1] = tickNumber(tick)
    listener.onNext(this.now, this.story)
  }

  private tick(state: RingState, tick: TickState, listener: Listener): void {
    const { now } = this
    const hosts = this.ring.names.length
    this.begin(state, 'a tick passes')
    for (let host = 0; host < hosts; host += 1) {
      const number = now[host]!
      now[host] = this.pair(`tick ${number}`, () => {
        const passing = this.moves.hostOf(number, TICK_MS)
        this.acts.timePasses(passing)
        return this.moves.numberOf(passing)
      })
    }
    now[hosts] = this.pair(`older ${now[hosts]}`, () => this.areas.of(encodeArea(grownOlder(decodeArea(this.areas.texts[now[hosts]!]!), this.ring.profile.gone_ms / TICK_MS))))
    this.end(tick, listener)
  }

  /** False when the turn leads beyond the bounds, or its extra act is not possible. */
  private play(host: number, tick: TickState, parts: readonly Part[], extra: Act | undefined, listener: Listener): boolean {
    for (const { acts, once } of parts) {
      if (acts === 'messages') {
        if (!this.deliver(host, tick, listener)) return false
      } else if (acts === 'extra') {
        if (extra === undefined) continue
        const move = this.possible(host, extra) ?? this.moves.mishapsOf(this.now[host]!).find(({ act }) => act === extra)
        if (!move || !this.apply(host, move, listener)) return false
      } else {
        for (let count = 0, move = this.first(host, acts); move; move = once ? undefined : this.first(host, acts)) {
          if (!this.apply(host, move, listener)) return false
          if ((count += 1) > REPEATS_LIMIT) throw new Error(`${this.ring.names[host]} does ${acts.join(', ')} without end`)
        }
      }
    }
    return true
  }

  private possible(host: number, act: Act): Move | undefined {
    return this.moves.of(this.now[host]!).find(move => move.act === act)
  }

  private first(host: number, acts: readonly Act[]): Move | undefined {
    for (const act of acts) {
      const move = this.possible(host, act)
      if (move) return move
    }
    return undefined
  }

  /** Everything that is on its way to this host from those the network reaches. */
  private deliver(host: number, { modes }: TickState, listener: Listener): boolean {
    const to = this.ring.names[host]!
    for (let from = 0; from < this.ring.names.length; from += 1) {
      if (from === host || !MODES[modes[from]!]!.network) continue
      for (const act of MESSAGES) {
        const move = this.moves.of(this.now[from]!).find(candidate => candidate.act === act && candidate.kind === 'message' && candidate.sent.to === to)
        if (move && !this.apply(from, move, listener)) return false
      }
    }
    return true
  }

  /** Carries out one move; false when it leads beyond the bounds. */
  private apply(host: number, move: Move, listener: Listener): boolean {
    const { now } = this
    const hosts = this.ring.names.length
    const name = this.ring.names[host]!
    this.story.push(`${name}: ${move.what}`)
    switch (move.kind) {
      case 'own': break
      case 'arm': this.found(startWithoutClaim(name, move, this.areaOf(now[hosts]!)), listener); break
      case 'renew': this.renewed(host, move.lease); break
      case 'read':
        now[host] = this.pair(`${move.act} ${now[host]} ${now[hosts]}`, () => this.moves.changed(now[host]!, reading => readPart(reading, move.act, this.areaOf(now[hosts]!))))
        break
      case 'claim':
        if (!this.claimed(host, move.function, move.claim, listener)) return false
        break
      case 'release':
        now[host] = this.pair(`release ${now[host]} ${move.function}`, () => this.moves.changed(now[host]!, releasing => noteReleased(releasing, move.function)))
        now[hosts] = this.pair(`released ${now[hosts]} ${move.function} ${move.release.epoch}`, () => this.areaWith(area => addRelease(area, move.function, move.release)))
        break
      case 'message': this.delivered(name, move.sent)
    }
    if ('next' in move) now[host] = move.next
    return this.check(listener)
  }

  private delivered(from: string, sent: Sent): void {
    const { now, acts } = this
    const host = this.ring.names.indexOf(sent.to)
    now[host] = this.pair(`${now[host]} ${from} ${sent.asked_ms} ${Object.values(sent.message).join(' ')}`, () => this.moves.changed(now[host]!, hearing => acts.delivered(hearing, from, sent)))
  }

  private renewed(host: number, lease: SharedLease): void {
    const { now } = this
    const { names } = this.ring
    const name = names[host]!
    now[names.length] = this.pair(`renewed ${now[names.length]} ${name} ${lease.generation} ${lease.age} ${lease.electorate?.join()} ${lease.may_miss}`, () => this.areaWith(area => area.leases.set(name, lease)))
    for (let other = 0; other < names.length; other += 1) {
      if (other !== host) now[other] = this.pair(`outdated ${now[other]} ${name}`, () => this.moves.changed(now[other]!, outdated => noteRenewed(outdated, name)))
    }
  }

  private claimed(host: number, of: string, claim: ClaimOnItsWay, listener: Listener): boolean {
    const { now } = this
    const hosts = this.ring.names.length
    const area = this.areaOf(now[hosts]!)
    const place = claimPlace(area, of, claim)
    if (place === 'gap') this.found({ rule: 'S7', text: `claim ${of}/${claim.epoch} after ${area.claims.get(of)?.epoch ?? 0} claims` }, listener)
    const standing = area.claims.get(of)
    const key = `claim ${now[host]} ${of} ${place} ${standing?.epoch} ${standing?.holder} ${standing?.generation} ${standing?.kind} ${standing?.released}`
    now[host] = this.pair(key, () => this.moves.changed(now[host]!, claiming => noteApplied(claiming, of, place === 'next', standing)))
    if (place !== 'next') return true
    if (claim.epoch > this.ring.bounds.epochs) {
      listener.onBound()
      return false
    }
    this.found(livingHolder(of, claim, area, this.ring.profile.gone_ms), listener)
    this.found(formerGiver(of, claim, this.allLooks()), listener)
    this.sight(`claim by ${claim.proof}`)
    const { epoch, holder, generation, kind } = claim
    now[hosts] = this.pair(`claimed ${now[hosts]} ${of} ${holder} ${generation} ${kind}`, () => this.areaWith(next => next.claims.set(of, { epoch, holder, generation, kind, released: false })))
    return true
  }

  // What must hold

  /** False beyond the bounds. */
  private check(listener: Listener): boolean {
    const looks = this.allLooks()
    if (looks.some(({ generation }) => generation > this.ring.bounds.generations)) {
      listener.onBound()
      return false
    }
    if (looks.some(({ rides }) => rides)) this.sight('ride')
    this.found(twoGivers(this.ring.functions, looks), listener)
    return true
  }

  private found(violation: Violation | undefined, listener: Listener): void {
    if (violation) listener.onViolation(violation, this.story)
  }

  private allLooks(): Look[] {
    return this.ring.names.map((_, host) => this.looks[this.now[host]!] ??= lookAt(this.moves.hostOf(this.now[host]!)))
  }

  private sight(what: string): void {
    this.sights.set(what, (this.sights.get(what) ?? 0) + 1)
  }

  // What is known by number

  private areaOf(number: number): SharedArea {
    return this.decoded_areas[number] ??= decodeArea(this.areas.texts[number]!)
  }

  private areaWith(change: (area: SharedArea) => void): number {
    const area = decodeArea(this.areas.texts[this.now[this.ring.names.length]!]!)
    change(area)
    return this.areas.of(encodeArea(area))
  }

  private pair(key: string, compute: () => number): number {
    const known = this.pairs.get(key)
    if (known !== undefined) return known
    const number = compute()
    this.pairs.set(key, number)
    return number
  }
}

function readPart(host: KernelHost, act: Act, area: SharedArea): void {
  if (act === 'read claims') return void (host.read!.claims = new Map(area.claims))
  const others = [...area.leases].filter(([name]) => name !== host.name)
  host.read!.leases = new Map(others.map(([name, { generation, electorate, may_miss }]) => [name, { generation, electorate, may_miss, same: host.up_to_date.has(name), stands: true }]))
}

function noteRenewed(host: KernelHost, name: string): void {
  host.up_to_date.delete(name)
  const seen = host.read?.leases?.get(name)
  if (seen) seen.stands = false
}

function noteApplied(host: KernelHost, name: string, won: boolean, standing: SharedClaim | undefined): void {
  const claim = host.claims.get(name)!
  if (claim.phase === 'abandoned') return void host.claims.delete(name)
  claim.phase = won ? 'won' : 'lost'
  // What stands at an older epoch is not kept here: the agent learns nothing from it, and the newest from its next read.
  if (!won && standing?.epoch === claim.epoch) claim.standing = standing
}

function noteReleased(host: KernelHost, name: string): void {
  const release = host.releases.get(name)!
  if (release.phase === 'abandoned') host.releases.delete(name)
  else release.phase = 'done'
}
