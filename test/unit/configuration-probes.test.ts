import { describe, expect, it } from 'vitest'
import { BUILTIN_PROBES } from '../../src/configuration/builtin-probes.ts'
import { readExpression } from '../../src/configuration/expression.ts'

/** What a working service usually answers, turn by turn. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  smtp: ['220 mail1 ESMTP Postfix (Debian)\r\n', '250 mail1\r\n', '221 2.0.0 Bye\r\n'],
  ftp: ['220 (vsFTPd 3.0.3)\r\n', '221 Goodbye.\r\n'],
  ssh: ['SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', '\u0000\u0004\u0014curve25519-sha256,ecdh-sha2-nistp256'],
  http: ['', 'HTTP/1.1 200 OK\r\nServer: nginx\r\n'],
  'http-proxy': ['', 'HTTP/1.1 403 Forbidden\r\nServer: squid\r\n'],
  pop3: ['+OK Dovecot (Debian) ready.\r\n', '+OK Logging out\r\n'],
  imap: ['* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+] Dovecot (Debian) ready.\r\n', '* BYE Logging out\r\nr1 OK Logout completed.\r\n'],
  dns: ['', 'rw\x85\x80\x00\x01\x00\x01\x00\x00\x00\x00\x09localhost\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x7f\x00\x00\x01'],
}

describe('built-in probes', () => {
  it.each(Object.values(BUILTIN_PROBES).map(probe => [probe.name, probe] as const))('%s', (name, probe) => {
    let received = ''
    probe.steps.forEach((step, index) => {
      const answer = ANSWERS[name]?.[index] ?? ''
      received += answer
      if (step.expect === undefined) return
      expect(readExpression(step.expect)).toEqual({ value: step.expect })
      if (answer !== '' && !step.expect.startsWith('^')) expect(answer).toMatch(new RegExp(step.expect))
      expect(received).toMatch(new RegExp(step.expect))
    })
    expect(BUILTIN_PROBES[name]).toBe(probe)
  })

  it('tell a broken service from a working one', () => {
    expect('554 no SMTP service here\r\n').not.toMatch(new RegExp(BUILTIN_PROBES['smtp']?.steps[0]?.expect ?? ''))
    expect('HTTP/1.1 503 Service Unavailable\r\n').not.toMatch(new RegExp(BUILTIN_PROBES['http']?.steps[1]?.expect ?? ''))
    expect('* BYE too many connections\r\n').not.toMatch(new RegExp(BUILTIN_PROBES['imap']?.steps[0]?.expect ?? ''))
    expect('-ERR mail boxes are away\r\n').not.toMatch(new RegExp(BUILTIN_PROBES['pop3']?.steps[0]?.expect ?? ''))
    for (const flags of ['\x81\x82', '\x81\x85', '\x01\x00', '\x89\x80']) expect(`rw${flags}`).not.toMatch(new RegExp(BUILTIN_PROBES['dns']?.steps[1]?.expect ?? ''))
    expect('421 too many connections\r\n').not.toMatch(new RegExp(BUILTIN_PROBES['ftp']?.steps[0]?.expect ?? ''))
  })
})
