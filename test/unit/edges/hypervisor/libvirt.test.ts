import { describe, expect, test } from 'vitest'
import type { VirtualServer } from '../../../../src/core/inventory.ts'
import { domainXml, domainOf, isProcessOf, nameOf, uuidOf } from '../../../../src/edges/hypervisor/libvirt-domain.ts'
import { saveHeader } from '../../../../src/edges/hypervisor/libvirt-save-header.ts'
import type { Machine } from '../../../../src/edges/hypervisor/qemu-arguments.ts'
import { readDomainStates, readEnd, readReturn } from '../../../../src/edges/hypervisor/virsh-output.ts'

const server: VirtualServer = { name: 'ftp-v', address: '10.0.0.21', memory_mb: 128, cpus: 2, image: 'ftp', standby: 'saved', stateless: true }
const machine: Machine = { server, accelerator: 'tcg', network: { prefix: 24 } }

// Captured from virsh 9.0.0 (Debian 12).
const STATES = `Domain: 'ringward-ftp-v'
  state.state=1
  state.reason=5

Domain: 'admins own'
  state.state=3
  state.reason=1

Domain: 'defined only'
  state.state=5
  state.reason=0

`
const EVENTS = `event 'lifecycle' for domain 'ringward-ftp-v': Started Restored
event 'lifecycle' for domain 'ringward-ftp-v': Suspended Restored
event 'lifecycle' for domain 'ringward-ftp-v': Resumed Unpaused
event 'lifecycle' for domain 'ringward-ftp-v': Shutdown Finished after host request
event 'lifecycle' for domain 'ringward-ftp-v': Stopped Destroyed
event 'lifecycle' for domain 'ringward-web1-v': Stopped Failed
events received: 6
error: Disconnected from qemu:///system due to end of file
`

describe('what virsh prints', () => {
  test('machines that have a process, and whether their processors run', () => {
    expect(readDomainStates(STATES)).toEqual([{ name: 'ringward-ftp-v', state: 'running' }, { name: 'admins own', state: 'paused' }])
    expect(readDomainStates('')).toEqual([])
    expect(readDomainStates("Domain: 'x'\n  balloon.current=1\nnonsense\n")).toEqual([])
  })

  test('events that tell of an end', () => {
    expect(EVENTS.split('\n').map(readEnd).filter(Boolean)).toEqual(['ringward-ftp-v', 'ringward-web1-v'])
  })

  test('answers of the guest agent', () => {
    expect(readReturn('{"return":{"exitcode":0,"exited":true}}\n\n')).toEqual({ exitcode: 0, exited: true })
    expect(readReturn('{"return":{},"id":"libvirt-412"}\n')).toEqual({})
    expect(readReturn('{"return":119}')).toEqual({})
  })
})

describe('a machine of libvirt', () => {
  test('is told from others by name and UUID', () => {
    expect(nameOf(domainOf('ftp-v'))).toBe('ftp-v')
    expect(nameOf('admins own')).toBeUndefined()
    expect(uuidOf('ftp-v')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(uuidOf('web1-v')).not.toBe(uuidOf('ftp-v'))
    const command_line = ['/usr/bin/qemu-system-x86_64', '-name', 'guest=ringward-ftp-v,debug-threads=on', '-S', '-uuid', uuidOf('ftp-v')]
    expect(isProcessOf('ftp-v', command_line)).toBe(true)
    expect(isProcessOf('web1-v', command_line)).toBe(false)
    expect(isProcessOf('ftp-v', [...command_line.slice(0, -1), 'c7a5fdbd-cdaf-9455-926a-d65c16db1809'])).toBe(false)
    expect(isProcessOf('ftp-v', [])).toBe(false)
  })

  test('has the devices of plain QEMU\'s at the same places, and its kernel only when it boots', () => {
    const saved = domainXml(machine, 'vm-x', 'saved')
    expect(saved).toContain("<domain type='qemu'>")
    expect(saved).toContain("machine='pc-i440fx-7.2'")
    expect(saved).toContain("<mac address='52:54:0a:00:00:15'/><target dev='vm-x'/>")
    expect(saved).toContain("<topology sockets='1' cores='2' threads='1'/><feature policy='require' name='rdrand'/>")
    expect(saved).not.toContain('<kernel>')
    const cold = domainXml({ ...machine, accelerator: 'kvm' }, 'vm-x', { image_directory: '/srv/vm/ftp' })
    expect(cold).toContain("<domain type='kvm'>")
    expect(cold).toContain('<kernel>/srv/vm/ftp/kernel</kernel><initrd>/srv/vm/ftp/initrd</initrd><cmdline>console=ttyS0 ')
    expect(() => domainXml(machine, 'vm-x', { image_directory: '/srv/<x>' })).toThrow('choose another folder')
  })
})

test('the header of a saved file is libvirt\'s, byte by byte', () => {
  const header = saveHeader('<domain/>')
  // As `virsh save` of 9.0.0 writes it, but for the length of the XML.
  expect(header.subarray(0, 36).toString('hex')).toBe(`${Buffer.from('LibvirtQemudSave').toString('hex')}020000000a000000000000000000000000000000`)
  expect(header.length).toBe(16 + 19 * 4 + 10)
  expect(header.subarray(92).toString()).toBe('<domain/>\0')
})
