import { describe, expect, it } from 'vitest'
import { renderAction } from '../../../src/cli/render/action.ts'
import { renderIncident, renderIncidents } from '../../../src/cli/render/incidents.ts'
import { renderLoad } from '../../../src/cli/render/load.ts'
import { renderRing } from '../../../src/cli/render/ring.ts'
import { renderStatus } from '../../../src/cli/render/status.ts'
import { coloured, plain } from '../../../src/cli/render/style.ts'
import { table } from '../../../src/cli/render/table.ts'
import { duration, room, since } from '../../../src/cli/render/units.ts'
import { DEGRADED, INCIDENTS, LOAD, OK, RING } from './samples.ts'

const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')

describe('human output', () => {
  it('status: verdict and reason, every fact with its age', () => {
    expect(renderStatus(DEGRADED, plain)).toMatchInlineSnapshot(`
      "DEGRADED  ftp is out of the ring; its function is given by ftp-v on web1
      as seen by mail at 2026-11-20T21:04:00.000Z; configuration 3-0.1.0, profile default, interval 1.0 s

      HOST  STATE          FOR  HEARD       LEASE  P1 OF                                P2 OF           FUNCTION GIVEN BY  EPOCH    SINCE
      mail  in ring    2 h 4 m  0.0 s  good 0.1 s  ftp (backup server), web1 (regular)  web1 (regular)  itself                 1  2 h 4 m
      ftp   separated     12 s   12 s   over 10 s  -                                    -               ftp-v on web1          2    8.5 s
      web1  in ring    2 h 4 m  0.3 s  good 0.3 s  mail (regular)                       mail (regular)  nobody                 0        -
      web2  unmanaged        -      -        none  -                                    -               -                      -        -

      VIRTUAL SERVER  FOR   ON    STATE
      mail-v          mail  -     standby (saved)
      ftp-v           ftp   web1  running

      Share     ok, last write took 4 ms, 0.1 s ago
      Lease     of mail: good for 1.9 s more
      Promises  given to web1 (0.9 s left); received from none

      Without protection
        ftp: no other host has 512 MB of memory left

      Lost protection
        TOO_FEW_WATCHERS web1, for 9.0 s: only mail watches it, and 2 hosts should; bring the missing hosts back

      Open incidents
        20261120T210348000Z-ftp-mail: Nt2 of ftp, managed by mail, function given, detected 12 s ago

      Warnings
        web1: nobody gives its function
      "
    `)
  })

  it('status: nothing more to say when all is well', () => {
    expect(renderStatus(OK, plain)).not.toMatch(/Warnings|Open incidents|Without protection/)
  })

  it('ring', () => {
    expect(renderRing(RING, plain)).toMatchInlineSnapshot(`
      "ring of 3 as seen by mail at 2026-11-20T21:04:00.000Z; mail sends S

      ┌─► 1 mail   P1 of login   P2 of web1
      │    ▼
      │   2 login  P1 of web1    P2 of mail  maintenance
      │    ▼
      └── 3 web1   P1 of mail    P2 of login

      Out of the ring
        ftp: separated for 12 s; its function is given by ftp-v on web1
      "
    `)
    expect(renderRing({ ...RING, members: [], separated: [], synchroniser: null }, plain)).toContain('nobody is in the ring')
  })

  it('load', () => {
    expect(renderLoad(LOAD, plain)).toMatchInlineSnapshot(`
      "as seen by mail at 2026-11-20T21:04:00.000Z: average → forecast (normalised, 0 best); then non-select values, lower is chosen

      HOST  VM         MEMORY MB        CPU IDLE %      NETWORK KB/S   CPU  NETWORK  CPU_NET    AGE
      web1   0  2048 → 1953 (40)  91.3 → 90.0 (30)  1200 → 1250 (50)  37.0     43.0     40.0  0.8 s
      mail   1         - → - (-)         - → - (-)         - → - (-)     -    133.0        -      -
      "
    `)
  })

  it('incidents', () => {
    expect(renderIncidents(INCIDENTS, plain)).toMatchInlineSnapshot(`
      "N  DETECTED                  TARGET  TROUBLE  MANAGER  CHOSEN   FUNCTION S   TARGET S  OUTCOME   ID
      1  2026-11-20T21:03:48.000Z  ftp     Nt2      login    web1    3.47 (3.40)  - (60.00)  open      20261120T210348000Z-ftp-login
      2  2026-11-19T10:00:00.000Z  mail    St1      web2     -                 -       0.31  repaired  20261119T100000000Z-mail-web2

      AVAILABILITY OF  DAYS  INCIDENTS  CONVENTIONAL %  IMPROVED %  GAIN %
      ftp                30          1         99.9900     99.9990  0.0090
      "
    `)
    expect(renderIncidents({ ...INCIDENTS, source: 'local', incidents: [], availability: [] }, plain)).toMatch(/shared area does not answer[^]*no incidents/)
  })

  it('one incident', () => {
    expect(renderIncident(INCIDENTS.incidents[0]!, plain)).toMatchInlineSnapshot(`
      "20261120T210348000Z-ftp-login  open
      Nt2 of ftp, detected 2026-11-20T21:03:48.000Z, managed by login

      Seconds    measured  predicted
      function       3.47       3.40
      target            -      60.00
      client            -       3.90

      CANDIDATE  VALUE  REASON
      web1        43.0  lowest non-select value
      mail       133.0  runs one already
      web2           -  no room

      AFTER S  AT                        HOST   STAGE
         0.00  2026-11-20T21:03:48.000Z  login  detected
         3.47  2026-11-20T21:03:51.470Z  web1   function given  VIP 10.0.0.102 on ftp-v
      "
    `)
  })

  it('action', () => {
    expect(renderAction({ schema: 'ringward.action/1', at: '', verb: 'flag on', dry_run: false, steps: [{ host: 'ftp', act: 'set the flag', outcome: 'done' }, { host: 'web1', act: 'set the flag', outcome: 'failed', reason: 'no route' }] }, plain))
      .toBe('done       ftp: set the flag\nfailed     web1: set the flag (no route)\n')
    expect(renderAction({ schema: 'ringward.action/1', at: '', verb: 'flag on', dry_run: false, steps: [] }, plain)).toBe('nothing to do\n')
  })

  it('colours never move a column', () => {
    for (const style of [coloured]) expect(renderStatus(DEGRADED, style).replace(COLOURS, '')).toBe(renderStatus(DEGRADED, plain))
    expect(renderStatus(DEGRADED, coloured)).toMatch(COLOURS)
  })
})

describe('parts', () => {
  it('durations', () => {
    expect([null, 0, 340, 9_949, 9_950, 59_999, 60_000, 3_599_000, 7_440_000, 354_000_000, -5, NaN].map(ms => duration(ms)))
      .toEqual(['-', '0.0 s', '0.3 s', '9.9 s', '9 s', '59 s', '1 m 0 s', '59 m 59 s', '2 h 4 m', '4 d 2 h', '0.0 s', '-'])
    expect(since('2026-11-20T21:00:00.000Z', '2026-11-20T21:00:12.000Z')).toBe('12 s')
    expect(since(null, '2026-11-20T21:00:12.000Z')).toBe('-')
  })

  it('room', () => {
    expect([0, 980, 3_600, 10_100, 256_000, 1_048_576, 1_900_000_000, 9e12].map(room)).toEqual(['0 KB', '980 KB', '3.5 MB', '9.9 MB', '250 MB', '1.0 GB', '1.8 TB', '8382 TB'])
  })

  it('tables without cells', () => {
    expect(table([{ title: 'A' }, { title: 'B', right: true }], [], plain)).toEqual(['A  B'])
    expect(table([{ title: 'A' }, { title: 'B', right: true }], [['long', '1'], ['x', '22']], plain)).toEqual(['A      B', 'long   1', 'x     22'])
  })
})
