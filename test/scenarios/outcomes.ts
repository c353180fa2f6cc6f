/** What each scenario must come to, whatever its log says: who gave the functions, epoch by epoch, and how the incidents ended. */
import { MAJORITY_OUTCOMES } from './majority-outcomes.ts'
import { MENU_OUTCOMES } from './menu-outcomes.ts'
import { RING_OUTCOMES } from './ring-outcomes.ts'

export interface Outcome {
  /** Each claim after the first of a function: who holds it, how, by what proof. No entry: nobody claimed it again. */
  readonly claims: Readonly<Record<string, readonly string[]>>
  /** target: trouble outcome, by manager. */
  readonly incidents: readonly string[]
  /** Functions that were cut at all, and the longest cut that is allowed [ms of virtual time]. */
  readonly cut_at_most_ms: Readonly<Record<string, number>>
  /** `host text`: lines that begin so stand in the log exactly once after the first step … */
  readonly said?: readonly string[]
  /** … and these do not at all. */
  readonly never?: readonly string[]
}

const ALL = ['mail', 'login', 'ftp', 'proxy', 'web1', 'web2'] as const
const TAKEN_OVER = 'another, virtual, silence'
const HANDED_OVER = 'another, virtual, hand-over'
const RETURNED = 'itself, native, hand-over'
const AFTER_OUTAGE = 'itself, native, own-past'
/** D_exp 3.1 s with clock rates, a read, two writes, a resume, and the samples (protocol 3). */
const TAKEOVER_MS = 4_000

const forAll = <T>(value: T): Record<string, T> => Object.fromEntries(ALL.map(name => [name, value]))

/** Alone for five rounds once it has noticed, and what is left of a takeover when a release stands. */
const PILL_MS = 9_000
const PILL_TAKEN: Outcome = {
  claims: { ftp: ['another, virtual, released', RETURNED] }, incidents: ['ftp: host returned, by login'], cut_at_most_ms: { ftp: PILL_MS }, said: ['ftp Asked_by_', 'ftp Function_is_given_ftp'],
  never: ['login __Wake', 'login Start_to_restart_', 'login __ftp_is_back'],
}

export const OUTCOMES: Readonly<Record<string, Outcome>> = {
  ...RING_OUTCOMES,
  ...MENU_OUTCOMES,
  ...MAJORITY_OUTCOMES,
  St1: { claims: {}, incidents: ['ftp: St1 repaired, by login'], cut_at_most_ms: { ftp: 1_500 } },
  St2: { claims: { ftp: ['another, virtual, released', RETURNED] }, incidents: ['ftp: St2 returned, by login'], cut_at_most_ms: { ftp: 2_500 } },
  Nt1: { claims: { ftp: [TAKEN_OVER, RETURNED] }, incidents: ['ftp: Nt1 returned, by login'], cut_at_most_ms: { ftp: TAKEOVER_MS } },
  Nt2: { claims: { ftp: [TAKEN_OVER, RETURNED] }, incidents: ['ftp: Nt2 returned, by login'], cut_at_most_ms: { ftp: TAKEOVER_MS } },
  // Handed over, not taken over: a client sees a few tenths of a second.
  'announced-reboot': { claims: { ftp: [HANDED_OVER, RETURNED] }, incidents: ['ftp: leave returned, by login'], cut_at_most_ms: { ftp: 500 } },
  'announced-shutdown': { claims: { ftp: [HANDED_OVER, RETURNED] }, incidents: ['ftp: leave returned, by login'], cut_at_most_ms: { ftp: 500 } },
  maintenance: { claims: { ftp: [HANDED_OVER, RETURNED] }, incidents: ['ftp: leave returned, by login'], cut_at_most_ms: { ftp: 500 } },
  // The cut is the operator's: 18 s of hold, then no lease is left to wait for. The daemon of proxy is restarted then, too, by login: ftp, its P1, is away.
  hold: { claims: { ftp: [TAKEN_OVER, RETURNED] }, incidents: ['ftp: Nt2 returned, by login', 'proxy: St1 repaired, by login'], cut_at_most_ms: { ftp: 18_000 + TAKEOVER_MS, proxy: 18_000 } },
  // Two missed renewals, the controller's word and the resume, instead of D_exp.
  'power-proof': { claims: { ftp: ['another, virtual, released', RETURNED] }, incidents: ['ftp: Nt2 returned, by login'], cut_at_most_ms: { ftp: 3_000 } },
  // Five minutes in which nothing that web1 asks is answered in time: it does nothing, and nothing is done to it.
  'slow-host-accuses-nobody': { claims: {}, incidents: [], cut_at_most_ms: {} },
  'slow-host-acts-by-proof': {
    claims: { web2: [TAKEN_OVER, RETURNED] }, incidents: ['web2: Nt2 returned, by web1'], cut_at_most_ms: { web2: TAKEOVER_MS }, said: ['web1 Start_to_restart_service'], never: ['web1 Remove_virtual_IP'],
  },
  // The cut is the outage's. Dialogues of that time say nothing: no daemon is restarted, no function is moved.
  'switch-off': { claims: {}, incidents: [], cut_at_most_ms: forAll(1_500), never: ALL.map(name => `${name} Start_to_restart_`) },
  'network-lost-shortly': { claims: {}, incidents: [], cut_at_most_ms: { ftp: 2_200 }, never: ALL.map(name => `${name} Start_to_restart_`) },
  // Asked on the share, it hears nobody for five rounds and releases: nobody may take over a host that renews (S6), and no client reaches it.
  'pill-isolated-host': PILL_TAKEN,
  'pill-gateway-gone': PILL_TAKEN,
  'pill-gateway-alive': { claims: {}, incidents: [], cut_at_most_ms: {}, said: ['login Ask_ftp_on_the_shared_area'], never: ['ftp Asked_by', 'ftp Stop_'] },
  'pill-halves': { claims: {}, incidents: [], cut_at_most_ms: {}, never: ALL.flatMap(name => [`${name} Asked_by`, `${name} Stop_`]) },
  // The gateway tells which of the last two is cut off: it gives up what it has, or leaves it to the other at once.
  'pill-last-two': {
    claims: { mail: PILL_TAKEN.claims.ftp!, login: [TAKEN_OVER, 'another, virtual, released', RETURNED] },
    incidents: ['login: Nt2 returned, by mail', 'login: host returned, by ftp', 'mail: host returned, by ftp'], cut_at_most_ms: { mail: PILL_MS, login: PILL_MS }, said: ['ftp Ask_mail_on_the_shared_area', 'mail Asked_by_ftp_on_the_shared_area: login', 'mail Asked_by_ftp_on_the_shared_area: mail'],
  },
  'pill-last-two-leaves-it': {
    claims: { mail: PILL_TAKEN.claims.ftp!, login: [TAKEN_OVER, RETURNED] }, incidents: ['login: Nt2 returned, by mail', 'login: host returned, by ftp', 'mail: host returned, by ftp'],
    cut_at_most_ms: { mail: PILL_MS, login: TAKEOVER_MS + 2_000 }, never: ['mail Claim_login'],
  },
  'pill-two-hosts-gateway': { claims: { mail: PILL_TAKEN.claims.ftp! }, incidents: ['mail: host returned, by login'], cut_at_most_ms: { mail: PILL_MS }, said: ['login Ask_mail_on_the_shared_area'] },
  // The cut is the outage's in these three.
  'pill-two-hosts': { claims: {}, incidents: [], cut_at_most_ms: { mail: 30_000 }, never: ['mail Ask', 'login Ask', 'mail Stop_', 'login Stop_'] },
  'pill-short-outage': { claims: {}, incidents: [], cut_at_most_ms: { ftp: 6_000 }, said: ['login Ask_ftp_on_the_shared_area'], never: ['ftp Asked_by', 'ftp Stop_'] },
  'pill-switch-off': { claims: {}, incidents: [], cut_at_most_ms: forAll(30_000), never: ALL.flatMap(name => [`${name} Ask`, `${name} Stop_`, `${name} Start_to_restart_`]) },
  'kill-agent': { claims: {}, incidents: [], cut_at_most_ms: {} },
  'kill-guard': { claims: {}, incidents: [], cut_at_most_ms: {} },
  // Nobody is cut for a moment: each claims its own function again under its new generation.
  'share-hang-all': { claims: forAll([AFTER_OUTAGE]), incidents: [], cut_at_most_ms: {} },
  'share-hang-one': { claims: { ftp: [AFTER_OUTAGE] }, incidents: [], cut_at_most_ms: {} },
  // Nobody is cut: who is not managed is not asked, and who is managed again claims nothing that may ride.
  'share-hang-all-without-one': { claims: forAll([AFTER_OUTAGE]), incidents: [], cut_at_most_ms: {} },
  'flag-set-during-a-ride': { claims: { ftp: [AFTER_OUTAGE], login: [AFTER_OUTAGE] }, incidents: [], cut_at_most_ms: {} },
  // proxy rides with its own function; ftp's virtual server, which ended with the lease, goes to another host by its silence.
  'virtual-server-of-a-rider': {
    claims: { ftp: [HANDED_OVER, TAKEN_OVER, RETURNED], proxy: [AFTER_OUTAGE] }, incidents: ['ftp: leave returned, by login'], cut_at_most_ms: { ftp: TAKEOVER_MS },
  },
  // login was back and not asked home yet when proxy had to leave: the claim that proxy writes for it is native, so that login rides under it.
  'rides-after-a-leaver-sent-it-home': {
    claims: { login: [TAKEN_OVER, RETURNED, AFTER_OUTAGE], proxy: [HANDED_OVER, RETURNED] }, incidents: ['login: Nt2 returned, by mail', 'proxy: leave returned, by ftp'], cut_at_most_ms: { login: TAKEOVER_MS, proxy: 500 },
  },
  'no-wake': { claims: { ftp: [TAKEN_OVER, RETURNED] }, incidents: ['ftp: Nt2 returned, by login'], cut_at_most_ms: { ftp: TAKEOVER_MS } },
  // Looked after while it serves: three rounds without an answer, given up, started afresh.
  'virtual-server-mute': {
    claims: { ftp: [TAKEN_OVER, 'another, virtual, released', RETURNED] }, incidents: ['ftp: Nt2 returned, by login'], cut_at_most_ms: { ftp: 9_000 },
  },
  // login, P1 of ftp, is dead too: mail, P1 of login, closes the ring and recovers both.
  'P1-and-target': {
    claims: { login: [TAKEN_OVER, RETURNED], ftp: [TAKEN_OVER, RETURNED] },
    incidents: ['ftp: Nt2 returned, by mail', 'login: Nt2 returned, by mail'], cut_at_most_ms: { login: TAKEOVER_MS, ftp: TAKEOVER_MS + 1_000 },
  },
  // The outage is 6 s, a read and a start come after it; ftp itself cannot ride, for nobody is left to promise.
  'last-host-loses-its-share': {
    claims: { mail: [TAKEN_OVER, 'another, virtual, released', RETURNED], login: [TAKEN_OVER, 'another, virtual, released', RETURNED], ftp: [AFTER_OUTAGE] },
    incidents: ['login: Nt2 returned, by ftp', 'mail: Nt2 returned, by ftp'], cut_at_most_ms: { mail: 8_000, login: 8_000, ftp: 6_000 },
  },
  // Nobody has written the release: the target does, two renewals later.
  'P1-dies-VIP-off': {
    claims: { login: [TAKEN_OVER, RETURNED], ftp: ['another, virtual, released', RETURNED] }, incidents: ['ftp: Nt1 returned, by login', 'login: Nt2 returned, by mail'],
    cut_at_most_ms: { login: TAKEOVER_MS, ftp: 2_500 }, said: ['ftp Virtual_IP_of_ftp_was_taken_off_here', 'ftp Stop_ftp_(native): a remote hand', 'mail Reboot_of_ftp_is_put_off: it gives login'],
  },
  'P1-without-share-bad-service': {
    claims: { login: [TAKEN_OVER, RETURNED], ftp: ['another, virtual, released', RETURNED] }, incidents: ['ftp: St1 repaired, by login', 'ftp: St2 returned, by mail', 'login: host returned, by mail'],
    cut_at_most_ms: { login: TAKEOVER_MS, ftp: 2_500 }, never: ['login Remove_virtual_IP', 'login __Reboot'],
  },
  'guard-killed-VIP-off': {
    claims: { ftp: ['another, virtual, released', RETURNED] }, incidents: ['ftp: St2 returned, by login'], cut_at_most_ms: { ftp: 2_500 },
    said: ['login Virtual_IP_of_ftp_could_not_be_removed: the guard does not run'], never: ['login Remote_hand_release_on_ftp: done'],
  },
  // P2 acts one slot later: P1 renews, and finds that it hears nobody itself.
  'P1-isolated-target-dies': {
    claims: { ftp: [TAKEN_OVER, RETURNED], login: PILL_TAKEN.claims.ftp! }, incidents: ['ftp: Nt2 returned, by login', 'ftp: host returned, by proxy', 'login: host returned, by mail'],
    cut_at_most_ms: { ftp: TAKEOVER_MS + 2_000, login: PILL_MS }, never: ['login Claim_ftp_'],
  },
  'two-adjacent': {
    claims: { ftp: [TAKEN_OVER, RETURNED], proxy: [TAKEN_OVER, RETURNED] },
    incidents: ['ftp: Nt2 returned, by login', 'proxy: Nt2 returned, by login'], cut_at_most_ms: { ftp: TAKEOVER_MS, proxy: TAKEOVER_MS + 1_000 },
  },
  // 20 s without power, the boot, and not one takeover.
  'site-power-cut': { claims: forAll([AFTER_OUTAGE]), incidents: [], cut_at_most_ms: forAll(26_000) },
  flapping: {
    claims: { ftp: [TAKEN_OVER, RETURNED, TAKEN_OVER, RETURNED] },
    incidents: ['ftp: Nt1 returned, by login', 'ftp: Nt1 returned, by login'], cut_at_most_ms: { ftp: TAKEOVER_MS },
  },
  // The virtual server of ftp runs on login; mail recovers login and restarts it elsewhere (thesis, case d).
  'host-of-virtual-server-dies': {
    claims: { ftp: [TAKEN_OVER, TAKEN_OVER, RETURNED], login: [TAKEN_OVER, RETURNED] },
    incidents: ['ftp: Nt2 returned, by login', 'ftp: Nt2 returned, by mail', 'login: Nt2 returned, by mail'], cut_at_most_ms: { ftp: TAKEOVER_MS, login: TAKEOVER_MS },
  },
  // Four of five cannot start it: each costs a failed start, none is asked twice.
  'failed-starts': { claims: { ftp: [TAKEN_OVER, RETURNED] }, incidents: ['ftp: Nt2 returned, by login'], cut_at_most_ms: { ftp: 10_000 } },
  // Given by others twice; the second time it never comes back, and its virtual server ends with its membership.
  'join-and-forget': {
    claims: { dns: [TAKEN_OVER, RETURNED, TAKEN_OVER] }, incidents: ['dns: Nt2 forgotten, by ftp', 'dns: Nt2 returned, by ftp'], cut_at_most_ms: { dns: 20_000 },
  },
  'cable-pulled': { claims: { ftp: [TAKEN_OVER, RETURNED] }, incidents: ['ftp: Nt2 returned, by login'], cut_at_most_ms: { ftp: TAKEOVER_MS } },
  'dies-again-before-return': { claims: { ftp: [TAKEN_OVER, RETURNED] }, incidents: ['ftp: Nt2 returned, by login'], cut_at_most_ms: { ftp: TAKEOVER_MS } },
  // A server without an agent: no lease, hence never a claim by silence.
  'agentless-daemon-stopped': { claims: {}, incidents: ['ftp: St1 repaired, by login'], cut_at_most_ms: { ftp: 1_500 } },
  'agentless-daemon-broken': { claims: { ftp: ['another, virtual, released', RETURNED] }, incidents: ['ftp: St2 returned, by login'], cut_at_most_ms: { ftp: 2_500 } },
  'agentless-power-proof': { claims: { ftp: ['another, virtual, released', RETURNED] }, incidents: ['ftp: Nt2 returned, by login'], cut_at_most_ms: { ftp: 5_000 } },
  'agentless-no-proof': { claims: {}, incidents: ['ftp: Nt2 resumed, by login'], cut_at_most_ms: { ftp: 31_500 } },
}
