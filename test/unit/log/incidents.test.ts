import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { availabilityOf, AVAILABILITY_WINDOW_MS } from '../../../src/edges/log/availability.ts'
import { foldIncident, foldIncidents } from '../../../src/edges/log/incident-fold.ts'
import { INCIDENT_ID, incidentId, parseIncidentLine, type IncidentLine } from '../../../src/edges/log/incident-line.ts'
import { IncidentStore } from '../../../src/edges/log/incident-store.ts'
import { MemoryShareWorld } from '../../../src/edges/share/memory-share.ts'
import { SetClock } from './set-clock.ts'

const DETECTED = '2026-11-20T21:03:48.000Z'
const ID = incidentId(new Date(DETECTED), 'ftp', 'login')
const at = (after_ms: number) => new Date(Date.parse(DETECTED) + after_ms).toISOString()

const lines: readonly IncidentLine[] = [
  { at: DETECTED, host: 'login', stage: 'detected', after_ms: 0, target: 'ftp', manager: 'login' },
  { at: at(300), host: 'login', stage: 'confirmed', after_ms: 300, trouble: 'Nt2', predicted: { function_ms: 3_400, target_ms: null, client_ms: 3_900 } },
  { at: at(310), host: 'login', stage: 'chosen', chosen_host: 'web1', candidates: [{ host: 'web1', value: 43, reason: 'lowest' }, { host: 'mail', value: 133, reason: 'runs one already' }] },
  { at: at(3_500), host: 'login', stage: 'function given', after_ms: 3_500 },
  { at: at(60_000), host: 'login', stage: 'target restored', after_ms: 60_000, outcome: 'returned' },
]

describe('incident', () => {
  it('has an id that sorts by time and is a name in the shared area', () => {
    expect(ID).toBe('20261120T210348000Z-ftp-login')
    expect(INCIDENT_ID.test(ID)).toBe(true)
    const long = incidentId(new Date(DETECTED), 'a'.repeat(63), 'b'.repeat(63))
    expect(INCIDENT_ID.test(long)).toBe(true)
    expect(`${long}.jsonl`.length).toBeLessThanOrEqual(128)
  })

  it('is folded from its stages', () => {
    const incident = foldIncident(ID, lines)
    expect(incident).toMatchObject({
      id: ID, target: 'ftp', trouble: 'Nt2', detected: DETECTED, manager: 'login', chosen_host: 'web1', function_ms: 3_500, target_ms: 60_000,
      predicted: { function_ms: 3_400, target_ms: null, client_ms: 3_900 }, outcome: 'returned',
    })
    expect(incident.candidates.map(candidate => candidate.host)).toEqual(['web1', 'mail'])
    expect(incident.stages.map(stage => [stage.name, stage.after_ms])).toEqual([['detected', 0], ['confirmed', 300], ['chosen', 310], ['function given', 3_500], ['target restored', 60_000]])
  })

  it('joins the record of the host that went on with it', () => {
    const second = incidentId(new Date(at(1_000)), 'ftp', 'web2')
    const incidents = foldIncidents([
      { id: second, lines: [{ at: at(1_000), host: 'web2', stage: 'P2 goes on', continues: ID, manager: 'web2' }, { at: at(4_000), host: 'web2', stage: 'function given' }] },
      { id: ID, lines: lines.slice(0, 3) },
    ])
    expect(incidents.length).toBe(1)
    expect(incidents[0]).toMatchObject({ id: ID, manager: 'web2', function_ms: 4_000, outcome: 'open' })
  })

  it('is passed on when its manager is gone: the next incident of the target names who went on', () => {
    const second = incidentId(new Date(at(9_000)), 'ftp', 'mail')
    const other = incidentId(new Date(at(10_000)), 'web1', 'proxy')
    const incidents = foldIncidents([
      { id: ID, lines: lines.slice(0, 4) },
      { id: second, lines: [{ at: at(9_000), host: 'mail', stage: 'detected', target: 'ftp', manager: 'mail' }] },
      { id: other, lines: [{ at: at(10_000), host: 'proxy', stage: 'detected', target: 'web1', manager: 'proxy' }] },
    ])
    expect(incidents.map(({ id, outcome }) => [id, outcome])).toEqual([[other, 'open'], [second, 'open'], [ID, 'passed on']])
    expect(incidents[2]!.successor).toEqual({ manager: 'mail', incident: second, after_ms: 9_000 })
    expect(incidents[1]!.successor).toBeUndefined()
  })

  it('that has ended keeps its outcome, whatever happens to the target later', () => {
    const second = incidentId(new Date(at(90_000)), 'ftp', 'mail')
    const [, first] = foldIncidents([{ id: ID, lines }, { id: second, lines: [{ at: at(90_000), host: 'mail', stage: 'detected', target: 'ftp', manager: 'mail' }] }])
    expect(first).toMatchObject({ id: ID, outcome: 'returned' })
    expect(first!.successor).toBeUndefined()
  })

  it('survives records that name each other in a circle', () => {
    const record = (id: string, continues: string) => ({ id, lines: [{ at: DETECTED, host: 'a', stage: 'x', continues }] })
    expect(foldIncidents([record('a', 'b'), record('b', 'a'), record('c', 'c')]).map(incident => incident.id)).toEqual(['c', 'a'])
  })

  it('refuses torn and foreign lines', () => {
    for (const text of ['', '{"at":', '[]', 'null', '{"at":"x","host":"a","stage":"b"}', '{"host":"a","stage":"b"}']) expect(parseIncidentLine(text)).toBeUndefined()
  })
})

describe('availability', () => {
  it('follows the thesis: (T+Te)/(T+t)', () => {
    const now = new Date(at(3_600_000))
    const [row] = availabilityOf([foldIncident(ID, lines)], now)
    const conventional = (AVAILABILITY_WINDOW_MS - 60_000) / AVAILABILITY_WINDOW_MS
    const improved = (AVAILABILITY_WINDOW_MS - 3_500) / AVAILABILITY_WINDOW_MS
    expect(row?.conventional).toBeCloseTo(conventional, 12)
    expect(row?.improved).toBeCloseTo(improved, 12)
    expect(row?.improvement_percent).toBeCloseTo((improved - conventional) / conventional * 100, 9)
  })

  it('counts an open incident until now and a false alarm not at all', () => {
    const now = new Date(at(10_000))
    const [row] = availabilityOf([foldIncident(ID, lines.slice(0, 4)), foldIncident('x', [{ ...lines[0] as IncidentLine, target: 'web1', outcome: 'resumed' }])], now)
    expect(row).toMatchObject({ target: 'ftp', incidents: 1 })
    expect(row?.conventional).toBeCloseTo((AVAILABILITY_WINDOW_MS - 10_000) / AVAILABILITY_WINDOW_MS, 12)
  })
})

describe('availability of a target whose manager died', () => {
  it('counts the time until its successor opened an incident of its own, and that one from there', () => {
    const second = incidentId(new Date(at(9_000)), 'ftp', 'mail')
    const incidents = foldIncidents([
      { id: ID, lines: lines.slice(0, 3) },
      { id: second, lines: [{ at: at(9_000), host: 'mail', stage: 'detected', target: 'ftp', manager: 'mail' }, { at: at(60_000), host: 'mail', stage: 'target restored', after_ms: 51_000, outcome: 'returned' }] },
    ])
    const [row] = availabilityOf(incidents, new Date(at(3_600_000)))
    expect(row?.conventional).toBeCloseTo((AVAILABILITY_WINDOW_MS - 60_000) / AVAILABILITY_WINDOW_MS, 12)
  })
})

describe('incident store', () => {
  let directory: string
  const clock = new SetClock(at(3_600_000))
  beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'ringward-incidents-')) })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('writes locally first and tells who ships', () => {
    const changed: string[] = []
    const store = new IncidentStore({ directory, share: new MemoryShareWorld().connect(), clock, onWritten: path => changed.push(path) })
    for (const line of lines) store.append(ID, line)
    expect(readFileSync(join(directory, `${ID}.jsonl`), 'utf8').trimEnd().split('\n').map(text => parseIncidentLine(text))).toEqual(lines)
    expect(new Set(changed)).toEqual(new Set([join(directory, `${ID}.jsonl`)]))
    expect(() => store.append('../x', lines[0] as IncidentLine)).toThrow('no incident id')
  })

  it('begins a new line behind a torn one', () => {
    appendFileSync(join(directory, `${ID}.jsonl`), `${JSON.stringify(lines[0])}\n{"at":"20`)
    const store = new IncidentStore({ directory, clock })
    store.append(ID, lines[1] as IncidentLine)
    store.append(ID, lines[3] as IncidentLine)
    expect(readFileSync(join(directory, `${ID}.jsonl`), 'utf8').split('\n').map(text => parseIncidentLine(text)?.stage)).toEqual(['detected', undefined, 'confirmed', 'function given', undefined])
  })

  it('joins what all hosts have written, newest first, and its own while the share hangs', async () => {
    const world = new MemoryShareWorld()
    const other = incidentId(new Date(at(900_000)), 'web1', 'proxy')
    world.files.set(`incidents/${other}.jsonl`, Buffer.from(`${JSON.stringify({ at: at(900_000), host: 'proxy', stage: 'detected', target: 'web1', manager: 'proxy' })}\n`))
    world.files.set('incidents/README', Buffer.from('foreign'))
    const store = new IncidentStore({ directory, share: world.connect(), clock })
    for (const line of lines) store.append(ID, line)
    const document = await store.document()
    expect(document).toMatchObject({ schema: 'ringward.incidents/1', source: 'share', at: at(3_600_000) })
    expect(document.incidents.map(incident => incident.id)).toEqual([other, ID])
    world.mood = 'hang'
    const local = await store.document()
    expect(local.source).toBe('local')
    expect(local.incidents.map(incident => incident.id)).toEqual([ID])
  })

  it('ends what a former life of this host had open, once, and nothing of others', async () => {
    const world = new MemoryShareWorld()
    const other = incidentId(new Date(at(900_000)), 'web1', 'proxy')
    world.files.set(`incidents/${other}.jsonl`, Buffer.from(`${JSON.stringify({ at: at(900_000), host: 'proxy', stage: 'detected', target: 'web1', manager: 'proxy' })}\n`))
    const former = new IncidentStore({ directory, share: world.connect(), clock })
    for (const line of lines.slice(0, 3)) former.append(ID, line)
    const ended = incidentId(new Date(at(100_000)), 'mail', 'login')
    former.append(ended, { at: at(100_000), host: 'login', stage: 'closed', target: 'mail', outcome: 'returned' })
    for (let life = 0; life < 2; life += 1) new IncidentStore({ directory, share: world.connect(), clock }).endFormer('login')
    const { incidents } = await new IncidentStore({ directory, share: world.connect(), clock }).document()
    expect(incidents.map(({ id, outcome }) => [id, outcome])).toEqual([[other, 'open'], [ended, 'returned'], [ID, 'passed on']])
    expect(incidents[2]!.stages.filter(({ name }) => name === 'closed').map(({ text }) => text)).toEqual(['the agent of login started anew; whoever is P1 of ftp goes on'])
  })

  it('keeps a bounded number of records', () => {
    const store = new IncidentStore({ directory, clock })
    for (let index = 0; index < 510; index++) store.append(incidentId(new Date(Date.parse(DETECTED) + index), 'ftp', 'login'), lines[0] as IncidentLine)
    expect(readdirSync(directory).length).toBeLessThanOrEqual(501)
  })
})
