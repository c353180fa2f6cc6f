import type { ProbeDialogue } from '../core/inventory.ts'

/** The limit of a service examination: T_sw of the thesis (5.4). */
export const PROBE_LIMIT_MS = 3_000

/**
 * Our id "rw", then a header that says answer to a query (QR 1, opcode 0), and response code 0 (NOERROR) or 3 (NXDOMAIN: it was looked
 * up), whatever the other flags say (RFC 1035, 4.1.1; AD and CD of RFC 4035 stand next to the code).
 */
const DNS_ANSWERED = '^rw[\\x80-\\x87][\\x00\\x03\\x10\\x13\\x20\\x23\\x30\\x33\\x80\\x83\\x90\\x93\\xa0\\xa3\\xb0\\xb3]'

/**
 * The dialogues that come with the product. A file of the same name in `probes/` takes their place.
 * Every expression finds the line it looks for whether or not earlier lines are still in front of it.
 */
export const BUILTIN_PROBES: Readonly<Record<string, ProbeDialogue>> = Object.freeze({
  // The thesis's dialogue (fig. 2.4: greeting, QUIT), with HELO between: a mail server whose queue is broken greets and then refuses.
  smtp: {
    name: 'smtp', port: 25, limit_ms: PROBE_LIMIT_MS,
    steps: [{ expect: '(^|\\n)220[ -]', send: 'HELO ringward\r\n' }, { expect: '(^|\\n)250[ -]', send: 'QUIT\r\n' }, { expect: '(^|\\n)221[ -]' }],
  },
  // A page that is missing or asks for a password is still an answer of a working server; 5xx is not.
  http: {
    name: 'http', port: 80, limit_ms: PROBE_LIMIT_MS,
    steps: [{ send: 'GET / HTTP/1.0\r\nHost: localhost\r\nUser-Agent: ringward\r\nConnection: close\r\n\r\n' }, { expect: '^HTTP/1\\.[01] [234]\\d\\d' }],
  },
  ftp: {
    name: 'ftp', port: 21, limit_ms: PROBE_LIMIT_MS,
    steps: [{ expect: '(^|\\n)220[ -]', send: 'QUIT\r\n' }, { expect: '(^|\\n)221[ -]' }],
  },
  // OpenSSH 9.8 and newer penalise each connection without a login by 1 s and refuse an address at 15 s
  // (sshd_config(5), PerSourcePenalties): name the ring's addresses in PerSourcePenaltyExemptList. The key exchange that follows the greeting shows that a session process was started.
  ssh: {
    name: 'ssh', port: 22, limit_ms: PROBE_LIMIT_MS,
    steps: [{ expect: '^SSH-2\\.0-', send: 'SSH-2.0-ringward\r\n' }, { expect: 'diffie-hellman|curve25519|ecdh-sha2' }],
  },
  // A whole request in the proxy's form, answered by the proxy itself: any status will do, for it is the origin that
  // may be refused or away. To examine the way out as well, write probes/http-proxy.toml with an address of your own.
  'http-proxy': {
    name: 'http-proxy', port: 3128, limit_ms: PROBE_LIMIT_MS,
    steps: [{ send: 'GET http://localhost/ HTTP/1.0\r\nHost: localhost\r\nUser-Agent: ringward\r\n\r\n' }, { expect: '^HTTP/1\\.[01] [2345]\\d\\d' }],
  },
  // After the greeting both are asked to end: a login process that hangs greets no more, or never says goodbye.
  pop3: {
    name: 'pop3', port: 110, limit_ms: PROBE_LIMIT_MS,
    steps: [{ expect: '(^|\\n)\\+OK', send: 'QUIT\r\n' }, { expect: '(^|\\n)\\+OK' }],
  },
  imap: {
    name: 'imap', port: 143, limit_ms: PROBE_LIMIT_MS,
    steps: [{ expect: '(^|\\n)\\* (OK|PREAUTH)', send: 'r1 LOGOUT\r\n' }, { expect: '(^|\\n)r1 OK' }],
  },
  // The address of "localhost", recursion desired: what a resolver has to know by itself (RFC 6761, 6.3). A question it had to ask others, the root's
  // servers for one (unbound 1.17 then does not even say SERVFAIL in time), would have every resolver of the ring restarted and rebooted when the
  // line to the outside is cut. A server that answers for its own zones only refuses it: it needs a probe of its own, with a name it serves.
  dns: {
    name: 'dns', port: 53, transport: 'udp', limit_ms: PROBE_LIMIT_MS,
    steps: [{ send: 'rw\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09localhost\x00\x00\x01\x00\x01' }, { expect: DNS_ANSWERED }],
  },
})
