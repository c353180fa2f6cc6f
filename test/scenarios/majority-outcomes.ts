/** Outcomes of the scenarios with `ride = "majority"`. */
import type { Outcome } from './outcomes.ts'

const TAKEN_OVER = 'another, virtual, silence'
const RELEASED = 'another, virtual, released'
const RETURNED = 'itself, native, hand-over'
const AFTER_OUTAGE = 'itself, native, own-past'
/** As in outcomes.ts. */
const TAKEOVER_MS = 4_000
/** Until the operator speaks. */
const OPERATOR_MS = 30_000

export const MAJORITY_OUTCOMES: Readonly<Record<string, Outcome>> = {
  // By the promises of all every function would stop. The virtual server of the dead one ends with the lease of its host: its images are on the share.
  'majority-share-off-one-dead': {
    claims: { proxy: [TAKEN_OVER, RELEASED, RETURNED], mail: [AFTER_OUTAGE], login: [AFTER_OUTAGE], ftp: [AFTER_OUTAGE] }, incidents: ['proxy: Nt2 returned, by ftp'], cut_at_most_ms: { proxy: 60_000 },
  },
  // Nobody can take over until the file server is back; the others go on.
  'majority-share-off-a-host-dies': {
    claims: { proxy: [TAKEN_OVER, RETURNED], mail: [AFTER_OUTAGE], login: [AFTER_OUTAGE], ftp: [AFTER_OUTAGE] }, incidents: ['proxy: Nt2 returned, by ftp'], cut_at_most_ms: { proxy: 45_000 + TAKEOVER_MS },
  },
  // The price: what one host alone would take over by the promises of all waits here for a proof.
  'majority-three-of-four-die': {
    claims: { mail: [RELEASED, RETURNED], ftp: [RELEASED, RETURNED], proxy: [RELEASED, RETURNED] }, incidents: ['ftp: Nt2 returned, by login', 'mail: Nt2 returned, by login', 'proxy: Nt2 returned, by login'],
    cut_at_most_ms: { mail: OPERATOR_MS + 500, ftp: OPERATOR_MS + 500, proxy: OPERATOR_MS + 500 },
    said: ['login Consents_are_missing_for_mail', 'login Consents_are_missing_for_ftp', 'login Consents_are_missing_for_proxy'],
  },
  'majority-three-of-four-die-power': {
    claims: { mail: [RELEASED, RETURNED], ftp: [RELEASED, RETURNED], proxy: [RELEASED, RETURNED] }, incidents: ['ftp: Nt2 returned, by login', 'mail: Nt2 returned, by login', 'proxy: Nt2 returned, by login'],
    cut_at_most_ms: { mail: TAKEOVER_MS, ftp: TAKEOVER_MS, proxy: TAKEOVER_MS },
  },
  // web1 opens incidents, for it sees four leases run out; nothing is taken from anybody, and nobody is cut.
  'majority-one-host-has-the-share': {
    claims: { mail: [AFTER_OUTAGE], login: [AFTER_OUTAGE], ftp: [AFTER_OUTAGE], proxy: [AFTER_OUTAGE] },
    incidents: ['ftp: Nt2 returned, by web1', 'login: Nt2 returned, by web1', 'mail: Nt2 returned, by web1', 'proxy: Nt2 returned, by web1'], cut_at_most_ms: {},
    said: ['web1 Consents_are_missing_for_mail', 'web1 Consents_are_missing_for_login', 'web1 Consents_are_missing_for_ftp', 'web1 Consents_are_missing_for_proxy'], never: ['web1 Claim_'],
  },
  // Two have one promise each and need two: they stop, and the three give what they gave.
  'majority-halves': {
    claims: { proxy: [TAKEN_OVER, RETURNED], web1: [TAKEN_OVER, RETURNED] }, incidents: ['proxy: Nt2 returned, by ftp', 'web1: Nt2 returned, by ftp'], cut_at_most_ms: { proxy: TAKEOVER_MS, web1: TAKEOVER_MS },
  },
}
