/** Outcomes of the scenarios with faults of the simulator's menu that last for a while (fault-menu.ts). */
import type { Outcome } from './outcomes.ts'

const TAKEN_OVER = 'another, virtual, silence'
const RELEASED = 'another, virtual, released'
const RETURNED = 'itself, native, hand-over'
const AFTER_OUTAGE = 'itself, native, own-past'
/** As in outcomes.ts. */
const TAKEOVER_MS = 4_000

const NOTHING: Outcome = { claims: {}, incidents: [], cut_at_most_ms: {} }
/** The host that lost its power beside the fault, and nobody else. */
const powerCut = (target: string, manager: string): Outcome => ({ claims: { [target]: [TAKEN_OVER, RETURNED] }, incidents: [`${target}: Nt2 returned, by ${manager}`], cut_at_most_ms: { [target]: TAKEOVER_MS } })
/** Each claims its own function again under a new generation, so often, and no client notices. */
const ridden = (times: Readonly<Record<string, number>>): Outcome => ({ ...NOTHING, claims: Object.fromEntries(Object.entries(times).map(([name, count]) => [name, Array.from({ length: count }, () => AFTER_OUTAGE)])) })

export const MENU_OUTCOMES: Readonly<Record<string, Outcome>> = {
  freeze: { claims: { ftp: [TAKEN_OVER, RETURNED] }, incidents: ['ftp: host returned, by login'], cut_at_most_ms: { ftp: TAKEOVER_MS } },
  'freeze-agent': NOTHING,
  // Promises that were asked for before the guard's silence was noticed run out first.
  'freeze-guard': { claims: { ftp: [TAKEN_OVER, RETURNED] }, incidents: ['ftp: host returned, by login'], cut_at_most_ms: { ftp: TAKEOVER_MS + 2_000 } },
  // A slot of 1 s and a start of 0.9 s more: P2, proxy, acts.
  'freeze-P1-and-target': { claims: { ftp: [TAKEN_OVER, RETURNED] }, incidents: ['ftp: host returned, by proxy'], cut_at_most_ms: { ftp: TAKEOVER_MS + 1_900 } },
  'slow-host': NOTHING,
  'late-timers': NOTHING,
  'clock-jump': powerCut('proxy', 'ftp'),
  'clock-drift': powerCut('proxy', 'ftp'),
  // Services are restarted for nothing: two dialogues in turn were lost on a path that had just been found good. Nothing is moved. A simulated dialogue ends with
  // its first lost packet; real ones send it again, and in the lab (`lossy all 40 100ms`, 150 s) no service was restarted.
  'messages-lost': {
    claims: {},
    incidents: [
      'ftp: St1 repaired, by login', 'ftp: St1 repaired, by login', 'ftp: St1 repaired, by login',
      'login: St1 repaired, by mail', 'login: St1 repaired, by mail', 'login: St1 repaired, by mail', 'mail: St1 repaired, by web2', 'mail: St1 repaired, by web2',
      'web2: St1 repaired, by web1', 'web2: St1 repaired, by web1', 'web2: St1 repaired, by web1',
    ],
    cut_at_most_ms: {},
  },
  'messages-doubled': powerCut('ftp', 'login'),
  'messages-late': powerCut('ftp', 'login'),
  cut: NOTHING,
  'cut-one-way': NOTHING,
  halves: NOTHING,
  // The promises reach nobody on the other side: the three stop at D_stop, long before they may be taken over.
  'halves-share-on-one-side': {
    claims: { login: [TAKEN_OVER, RETURNED], proxy: [TAKEN_OVER, RETURNED], web1: [TAKEN_OVER, RETURNED] },
    incidents: ['login: Nt2 returned, by mail', 'proxy: Nt2 returned, by ftp', 'web1: Nt2 returned, by ftp'], cut_at_most_ms: { login: TAKEOVER_MS, proxy: TAKEOVER_MS, web1: TAKEOVER_MS },
  },
  bridge: NOTHING,
  'majorities-ring': NOTHING,
  'share-hang-some': ridden({ mail: 1, ftp: 1, web2: 1 }),
  'share-slow': ridden({ ftp: 1 }),
  'share-slow-all': ridden({ mail: 1, login: 1, ftp: 1, proxy: 1, web1: 2, web2: 2 }),
  'share-dead': ridden({ ftp: 1 }),
  'share-dead-some': ridden({ mail: 1, ftp: 1, web2: 1 }),
  'share-dead-all': ridden({ mail: 1, login: 1, ftp: 1, proxy: 1, web1: 1, web2: 1 }),
  'share-read-only': ridden({ ftp: 1 }),
  'share-read-only-some': ridden({ mail: 1, ftp: 1, web2: 1 }),
  'share-read-only-all': ridden({ mail: 1, login: 1, ftp: 1, proxy: 1, web1: 1, web2: 1 }),
  'share-late': ridden({ ftp: 2 }),
  'share-late-all': ridden({ mail: 2, login: 1, ftp: 1, proxy: 2, web1: 1, web2: 2 }),
  // The answer to the claim that counts is lost; it is given up after 1.5 s, and a look shows the claim meanwhile.
  'claim-answers-lost': { ...powerCut('ftp', 'login'), cut_at_most_ms: { ftp: TAKEOVER_MS + 1_500 } },
  // The chosen host is one of the late ones.
  'late-starts': { ...powerCut('ftp', 'login'), cut_at_most_ms: { ftp: 20_000 + TAKEOVER_MS } },
  // The hand is asked for 10 s at most, and has healed nothing; its second order takes the VIP off, and the target itself says so.
  'half-hand': { claims: { ftp: [RELEASED, RETURNED] }, incidents: ['ftp: St2 returned, by login'], cut_at_most_ms: { ftp: 10_000 + TAKEOVER_MS } },
  'half-hand-heals': { claims: {}, incidents: ['ftp: St1 repaired, by login'], cut_at_most_ms: { ftp: 3_000 } },
  'service-flaps': { claims: {}, incidents: Array.from({ length: 10 }, () => 'ftp: St1 repaired, by login'), cut_at_most_ms: { ftp: 1_500 } },
  'old-disk': { claims: { ftp: [TAKEN_OVER, RETURNED] }, incidents: ['ftp: Nt1 returned, by login'], cut_at_most_ms: { ftp: TAKEOVER_MS } },
  // Its goodbye sets the function free; the hand-over needs a message that the older ones do not know.
  'older-programs': { claims: { ftp: [RELEASED, RETURNED] }, incidents: ['ftp: host returned, by login'], cut_at_most_ms: { ftp: 1_500 } },
  'newer-programs': powerCut('ftp', 'login'),
}
