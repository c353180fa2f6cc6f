import { describe, expect, test } from 'vitest'
import { parseRequest } from '../../../src/guard/guard-requests.ts'

const charge = { function: 'ftp', epoch: 1, kind: 'native', vip: '10.0.0.5', prefix: 24, device: 'host0' }
const arm = { request: 1, verb: 'arm', generation: 1, margin_ms: 500, charge }

describe('guard requests', () => {
  test.each([
    arm,
    { ...arm, charge: { function: 'ftp', epoch: 1, kind: 'virtual', virtual_server: 'vftp', pid: 400, pid_start: '77' } },
    { request: 2, verb: 'disarm', function: 'ftp' },
    { request: 3, verb: 'bar', function: 'ftp', epoch: 4 },
    { request: 4, verb: 'ride', until_ms: 12_345.6, promised: ['mail', 'web1'] },
    { request: 6, verb: 'electorate', names: [] }, { request: 6, verb: 'electorate', names: ['mail', 'ftp'], may_miss: 1 },
    { request: 5, verb: 'leave', standing: 'goodbye' },
    { request: 0, verb: 'status' },
  ])('%j is understood', request => {
    expect(parseRequest(JSON.stringify(request))).toEqual(request)
  })

  test.each([
    'no json', '[]', '{"verb":"status"}', '{"request":-1,"verb":"status"}',
    ...[
      { ...arm, charge: { ...charge, vip: '10.0.0.5; reboot' } }, { ...arm, charge: { ...charge, device: '-all' } },
      { ...arm, charge: { ...charge, prefix: 33 } }, { ...arm, charge: { ...charge, function: '../x' } }, { ...arm, charge: { ...charge, kind: 'virtual', virtual_server: 'v', pid: 1, pid_start: '7' } },
      { request: 1, verb: 'leave', standing: 'member' }, { request: 1, verb: 'bar', function: 'ftp', epoch: 'all' }, { request: 1, verb: 'ride', until_ms: null, promised: [] }, { request: 1, verb: 'ride', until_ms: 5 }, { request: 1, verb: 'electorate', names: ['../x'] }, { request: 1, verb: 'electorate', names: [], may_miss: -1 }, { request: 1, verb: 'reboot' },
    ].map(request => JSON.stringify(request)),
  ])('%s is refused', line => {
    expect(parseRequest(line)).toHaveProperty('wrong')
  })
})
