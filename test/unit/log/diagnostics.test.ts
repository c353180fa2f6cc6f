import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createDiagnostics } from '../../../src/edges/log/diagnostics.ts'

it('writes at once and never a secret', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringward-diagnostics-'))
  const descriptor = openSync(join(directory, 'out'), 'w')
  try {
    const logger = createDiagnostics({ name: 'agent', host: 'ftp', descriptor })
    logger.info({ ring_psk: 'SECRET1', keys: { private_key: 'SECRET2' }, peer: 'mail' }, 'started')
    logger.debug('not shown')
    const text = readFileSync(join(directory, 'out'), 'utf8')
    expect(text).not.toContain('SECRET')
    expect(JSON.parse(text)).toMatchObject({ level: 'info', name: 'agent', host: 'ftp', peer: 'mail', ring_psk: '[redacted]', msg: 'started' })
  } finally {
    closeSync(descriptor)
    rmSync(directory, { recursive: true })
  }
})
