/** What one host can do next, and what becomes of it: computed by the product's own code once for each host there can be. */
import { NOW_MS, TICK_MS } from './coarse-time.ts'
import type { HostCodec } from './host-codec.ts'
import { outstandingOf, type KernelActs } from './kernel-acts.ts'
import type { ClaimOnItsWay, KernelHost, KernelRing, ReleaseOnItsWay, RideMessage, Sent } from './kernel-host.ts'
import type { SharedLease } from './shared-area.ts'

/** Texts by number. */
export class Numbers {
  private readonly numbers = new Map<string, number>()
  readonly texts: string[] = []

  of(text: string): number {
    const known = this.numbers.get(text)
    if (known !== undefined) return known
    this.numbers.set(text, this.texts.length)
    return this.texts.push(text) - 1
  }
}

export type Act =
  | 'guard looks' | 'agent looks' | 'renew' | 'acknowledged' | 'renewal fails' | 'read leases' | 'read claims' | 'read arrives' | 'claim' | 'abandoned claim' | 'claim answered' | 'claim unanswered' | 'release' | 'release answered'
  | 'order' | 'order answered' | 'order fails' | 'nominated' | 'asked to return' | 'claiming over' | 'agent dies' | 'guard dies' | 'power fails' | RideMessage['kind']

interface MoveOf<Kind extends string> {
  readonly act: Act
  readonly what: string
  readonly kind: Kind
}

/** By itself, or with the shared area or another host. `next` is the host's own number after it. */
export type Move =
  | MoveOf<'own'> & { readonly next: number }
  | MoveOf<'arm'> & { readonly next: number; readonly function: string; readonly epoch: number; readonly generation: number }
  | MoveOf<'renew'> & { readonly next: number; readonly lease: SharedLease }
  | MoveOf<'read'>
  | MoveOf<'claim'> & { readonly function: string; readonly claim: ClaimOnItsWay }
  | MoveOf<'release'> & { readonly function: string; readonly release: ReleaseOnItsWay }
  | MoveOf<'message'> & { readonly next: number; readonly sent: Sent }

export class HostMoves {
  private readonly ring: KernelRing
  private readonly codec: HostCodec
  private readonly acts: KernelActs
  readonly numbers = new Numbers()
  private readonly known: (readonly Move[] | undefined)[] = []
  private readonly known_mishaps: (readonly Move[] | undefined)[] = []

  constructor(ring: KernelRing, codec: HostCodec, acts: KernelActs) {
    this.ring = ring
    this.codec = codec
    this.acts = acts
  }

  numberOf(host: KernelHost): number {
    return this.numbers.of(this.codec.encode(host))
  }

  hostOf(number: number, elapsed_ms = 0): KernelHost {
    return this.codec.decode(this.numbers.texts[number]!, elapsed_ms)
  }

  changed(number: number, change: (host: KernelHost) => void): number {
    const host = this.hostOf(number)
    change(host)
    return this.numberOf(host)
  }

  of(number: number): readonly Move[] {
    return this.known[number] ??= this.find(number)
  }

  /** Apart from the others: most states have no fault left to begin. */
  mishapsOf(number: number): readonly Move[] {
    return this.known_mishaps[number] ??= this.findMishaps(number)
  }

  private into(moves: Move[], number: number): Own {
    return (act, what, change) => {
      const next = this.changed(number, change)
      if (next !== number) moves.push({ act, what, kind: 'own', next })
    }
  }

  private find(number: number): Move[] {
    const host = this.hostOf(number)
    const { acts } = this
    const moves: Move[] = []
    const own = this.into(moves, number)
    own('guard looks', 'its guard looks', changing => acts.guardLooks(changing))
    own('agent looks', 'its agent looks', changing => acts.handle(changing, { event: 'timer' }))
    this.renewal(number, host, moves, own)
    this.share(host, moves, own)
    this.orders(number, host, moves, own)
    this.managers(host, own)
    this.messages(number, host, moves)
    return moves
  }

  private findMishaps(number: number): Move[] {
    const host = this.hostOf(number)
    const { acts } = this
    const moves: Move[] = []
    const own = this.into(moves, number)
    own('agent dies', 'its agent dies and another begins', changing => acts.agentDies(changing))
    own('guard dies', 'its guard dies and another goes on', changing => acts.guardDies(changing))
    own('power fails', 'its power fails and comes back', changing => acts.powerFails(changing))
    if (outstandingOf(host)) own('renewal fails', 'its renewal fails', changing => acts.renewalFailed(changing))
    for (const [name, { phase, epoch }] of host.claims) if (phase !== 'abandoned') own('claim unanswered', `it hears nothing of claim ${name}/${epoch}`, changing => acts.claimAnswered(changing, name, false))
    if (host.orders[0]?.order === 'serve') own('order fails', `it hears that it cannot give ${host.orders[0].function}`, changing => acts.orderAnswered(changing, false))
    return moves
  }

  private renewal(number: number, host: KernelHost, moves: Move[], own: Own): void {
    const renewal = outstandingOf(host)
    if (!renewal) return
    const { generation, electorate, may_miss = 0, issued_ms } = renewal
    if (host.renewal_applied) own('acknowledged', 'its renewal is acknowledged', changing => this.acts.renewalAcknowledged(changing))
    else {
      const next = this.changed(number, changing => { changing.renewal_applied = true })
      moves.push({ act: 'renew', what: `its renewal (generation ${generation}) stands in the share`, kind: 'renew', next, lease: { generation, electorate, may_miss, age: (NOW_MS - issued_ms) / TICK_MS } })
    }
  }

  private share(host: KernelHost, moves: Move[], own: Own): void {
    if (host.read) {
      if (!host.read.leases) moves.push({ act: 'read leases', what: 'it reads the leases', kind: 'read' })
      else if (!host.read.claims) moves.push({ act: 'read claims', what: 'it reads the claims', kind: 'read' })
      else own('read arrives', 'what it read arrives', changing => this.acts.readReturned(changing))
    }
    for (const [name, claim] of host.claims) {
      const { phase, epoch, proof } = claim
      if (phase === 'asked' || phase === 'abandoned') moves.push({ act: phase === 'asked' ? 'claim' : 'abandoned claim', what: `its claim ${name}/${epoch} (${proof}) reaches the share`, kind: 'claim', function: name, claim })
      else own('claim answered', `it hears that claim ${name}/${epoch} was ${phase}`, changing => this.acts.claimAnswered(changing, name, true))
    }
    for (const [name, release] of host.releases) {
      const { phase, epoch } = release
      if (phase === 'done') own('release answered', `it hears that release ${name}/${epoch} stands`, changing => this.acts.releaseAnswered(changing, name))
      else moves.push({ act: 'release', what: `its release ${name}/${epoch} reaches the share`, kind: 'release', function: name, release })
    }
  }

  private orders(number: number, host: KernelHost, moves: Move[], own: Own): void {
    const { acts } = this
    const [order] = host.orders
    if (!order) return
    if (order.order === 'stop') return own('order', `it stops ${order.function}`, changing => acts.orderCarriedOut(changing))
    const what = `${order.function} under epoch ${order.epoch}`
    if (!order.done) {
      const changing = this.hostOf(number)
      const armed = acts.orderCarriedOut(changing)
      const next = this.numberOf(changing)
      if (armed) moves.push({ act: 'order', what: `it begins to give ${what}`, kind: 'arm', next, function: order.function, epoch: order.epoch, generation: order.generation })
      else moves.push({ act: 'order', what: `its guard refuses ${what}`, kind: 'own', next })
    } else if (!order.called_off) own('order answered', `it hears that it gives ${what}`, changing => acts.orderAnswered(changing, true))
    if (order.called_off) own('order answered', `it hears that it cannot give ${what}`, changing => acts.orderAnswered(changing, false))
  }

  private managers(host: KernelHost, own: Own): void {
    const { acts, ring } = this
    for (const name of ring.functions) {
      const giving = host.state.giving.get(name)
      if (acts.mayBeNominated(host, name)) own('nominated', `it is nominated for ${name}`, changing => acts.nominated(changing, name))
      const answered = (host.claims.get(name)?.phase ?? 'abandoned') === 'abandoned'
      if (!giving || !answered || (giving.stage !== 'claiming' && giving.stage !== 'serving')) continue
      if (giving.deadline_ms !== Infinity && giving.deadline_ms > NOW_MS) own('claiming over', `its time for claiming ${name} is over`, changing => acts.stepLimitPasses(changing, name))
      if (giving.stage === 'serving' && name !== host.name && host.state.hosts.get(name)!.lease) own('asked to return', `it is asked to return ${name}`, changing => acts.askedToReturn(changing, name))
    }
  }

  private messages(number: number, host: KernelHost, moves: Move[]): void {
    for (const [key, sent] of host.sent) {
      moves.push({ act: sent.message.kind, what: wordsOf(sent), kind: 'message', next: this.changed(number, changing => changing.sent.delete(key)), sent })
    }
  }
}

function wordsOf({ to, message }: Sent): string {
  switch (message.kind) {
    case 'promise-request': return `${to} is asked for its promise`
    case 'promise': return `its promise reaches ${to}`
    case 'consent-request': return `${to} is asked whether it has promised ${message.holder} nothing`
    case 'consent': return `its consent reaches ${to}`
  }
}

type Own = (act: Act, what: string, change: (host: KernelHost) => void) => void
