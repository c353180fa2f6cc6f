import { describe, expect, it } from 'vitest'
import { isKeyLine, showLine } from '../../../scripts/demonstration/key-lines.ts'
import { failuresOf } from '../../../scripts/demonstration/result-table.ts'
import { openScreen } from '../../../scripts/demonstration/screen.ts'
import { SimulatedScene } from '../../../scripts/demonstration/simulated-scene.ts'
import { isWhole, tellStory } from '../../../scripts/demonstration/story.ts'
import { plain } from '../../../src/cli/render/style.ts'
import { sampleStatus } from './samples.ts'

const line = (text: string, host = 'login') => ({ at_ms: 1_500, host, alarm: false, text })

describe('key lines', () => {
  it('are those about the target, without what every host repeats', () => {
    expect(isKeyLine(line('ftp: regular => network examination: 1 ping(s) lost'), 'ftp')).toBe(true)
    expect(isKeyLine(line('__Wait_for_reboot_of_ftp_(10.77.0.13)'), 'ftp')).toBe(true)
    expect(isKeyLine(line('Virtual_IP_ftp_(login->ftp): 3 good rounds'), 'ftp')).toBe(true)
    expect(isKeyLine(line('ftp_is_not_reachable: connection closed'), 'ftp')).toBe(false)
    expect(isKeyLine(line('vsftpd_is_normal_(web1)'), 'ftp')).toBe(false)
    expect(isKeyLine(line('Lease_is_late: all others promise, the function goes on', 'ftp'), 'ftp')).toBe(false)
  })

  it('are shown with seconds since the power cut and fit the width', () => {
    const text = showLine(line('Backup_server_of_ftp_is_login: login=10.3 [VM 0, memory 0.8], mail=11.2 [VM 0], ftp=no [it is the failed host]'), 0, 200, plain)
    expect(text).toBe('   +1.50 s  login   Backup_server_of_ftp_is_login: login=10.3, mail=11.2, ftp=no')
    expect(showLine(line('x'.repeat(300)), 0, 80, plain).length).toBeLessThanOrEqual(80)
  })
})

describe('the whole ring', () => {
  it('has six members, two targets each, and every function at home', () => {
    expect(isWhole(sampleStatus())).toBe(true)
    expect(isWhole(undefined)).toBe(false)
    expect(isWhole(sampleStatus({ out: ['ftp'] }))).toBe(false)
    expect(isWhole(sampleStatus({ giver: 'login' }))).toBe(false)
    expect(isWhole(sampleStatus({ mode: 'target recovery' }))).toBe(false)
  })
})

describe('the simulated story', () => {
  it('is told to its end in plain lines, labelled, without colours or cursor movements', async () => {
    let output = ''
    const screen = openScreen({ isTTY: false, write: (text: string) => { output += text } })
    const findings = await tellStory(new SimulatedScene(false, new AbortController().signal), screen)
    expect(failuresOf(findings)).toEqual([])
    expect(findings.virtual_giver).toBeDefined()
    expect(output).not.toContain('\u001b')
    expect(output).toMatch(/^SIMULATED/)
    expect(output).toMatch(/SIMULATED: the power of ftp is cut/)
    expect(output).toMatch(/Wake_on_LAN_ftp/)
    expect(output).toMatch(/client {2}.*XX XX/)
  })

  it('redraws the same number of lines on a terminal', async () => {
    const chunks: string[] = []
    const screen = openScreen({ isTTY: true, columns: 100, rows: 40, write: (text: string) => { chunks.push(text) } })
    await tellStory(new SimulatedScene(false, new AbortController().signal), screen)
    const heights = new Set(chunks.flatMap(chunk => [...chunk.matchAll(/\u001b\[(\d+)A/g)].map(match => match[1])))
    expect([...heights]).toEqual(['12'])
  })

  it('ends when it is called off', async () => {
    const called_off = new AbortController()
    const screen = openScreen({ write: () => { called_off.abort() } })
    await expect(tellStory(new SimulatedScene(false, called_off.signal), screen)).rejects.toThrow()
  })
})
