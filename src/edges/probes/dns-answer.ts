/** A DNS header: id, flags, four counts (RFC 1035, 4.1.1). */
const HEADER_BYTES = 12
const ANSWER_BIT = 0x80
const ONE_QUESTION = '\x00\x01'

/** Response codes with what they mean to an operator (RFC 1035, 4.1.1). */
const CODES: Readonly<Record<number, string>> = {
  0: 'NOERROR', 1: 'FORMERR (the server does not understand the question)', 2: 'SERVFAIL (the server cannot find out about this name)',
  3: 'NXDOMAIN (there is no such name)', 4: 'NOTIMP (the server does not do this kind of question)',
  5: 'REFUSED (the server does not answer this host, or not for this name: allow it there, or ask for another name in a probe of your own)',
}

/**
 * What a DNS server answered, in words; undefined when `sent` and `received` (a character a byte) are no DNS question and its answer.
 * For the log only: the verdict is the expression's.
 */
export function dnsAnswer(sent: string, received: string): string | undefined {
  if (sent.length <= HEADER_BYTES || received.length < HEADER_BYTES || sent.slice(0, 2) !== received.slice(0, 2)) return undefined
  const answers = (text: string): boolean => (text.charCodeAt(2) & ANSWER_BIT) !== 0
  if (answers(sent) || !answers(received) || sent.slice(4, 6) !== ONE_QUESTION) return undefined
  const code = received.charCodeAt(3) & 0x0f
  return `DNS ${CODES[code] ?? `response code ${code}`}`
}
