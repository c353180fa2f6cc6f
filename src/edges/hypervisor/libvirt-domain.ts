import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { checkedName, checkedPath, kernelCommandLine, MACHINE, macOf, PROCESSOR, QEMU, type Machine } from './qemu-arguments.ts'

/** Tells ringward's machines from the admin's own, in `virsh list` and for people. */
const PREFIX = 'ringward-'
const UUID_DIGITS = 32

export function domainOf(name: string): string {
  return `${PREFIX}${checkedName(name)}`
}

/** The virtual server's name, when a machine of this name could be ringward's. */
export function nameOf(domain: string): string | undefined {
  return domain.startsWith(PREFIX) ? domain.slice(PREFIX.length) : undefined
}

/** The same on every host, and nobody else's: a machine that only has a similar name is not taken for ours. */
export function uuidOf(name: string): string {
  const digits = createHash('sha256').update(`ringward virtual server ${name}`).digest('hex').slice(0, UUID_DIGITS)
  // Version 8 (made from a name in a way of one's own), variant 1.
  const marked = `${digits.slice(0, 12)}8${digits.slice(13, 16)}8${digits.slice(17)}`
  return marked.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/**
 * The machine of `qemuArguments`, in libvirt's words: the same devices at the same places, so that one saved state fits both.
 * No disk; the tap is put on the bridge when the machine runs, not before. Libvirt must not change the owner of files in the shared area (`seclabel`).
 */
export function domainXml(machine: Machine, tap: string, start: { readonly image_directory: string } | 'saved'): string {
  const { server, accelerator } = machine
  const [model = '', ...features] = PROCESSOR.split(',')
  return `<domain type='${accelerator === 'kvm' ? 'kvm' : 'qemu'}'>
  <name>${domainOf(server.name)}</name>
  <uuid>${uuidOf(server.name)}</uuid>
  <description>Virtual server of ringward, which starts and stops it</description>
  <memory unit='MiB'>${server.memory_mb}</memory>
  <vcpu>${server.cpus}</vcpu>
  <os><type arch='x86_64' machine='${MACHINE}'>hvm</type>${start === 'saved' ? '' : kernelXml(machine, start.image_directory)}</os>
  <features><acpi/><apic/><vmport state='off'/></features>
  <cpu mode='custom' match='exact' check='none'><model fallback='forbid'>${model}</model><topology sockets='1' cores='${server.cpus}' threads='1'/>${features.map(feature => `<feature policy='require' name='${feature.slice(1)}'/>`).join('')}</cpu>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/${QEMU}</emulator>
    <controller type='usb' model='none'/>
    <controller type='virtio-serial' index='0'><address type='pci' slot='0x03'/></controller>
    <interface type='ethernet'>
      <mac address='${macOf(server.address)}'/><target dev='${tap}'/><model type='virtio'/><driver name='qemu'/><rom enabled='no'/><address type='pci' slot='0x02'/>
    </interface>
    <serial type='pty'><target type='isa-serial' port='0'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/><address type='virtio-serial' controller='0' bus='0' port='1'/></channel>
    <memballoon model='none'/>
  </devices>
  <seclabel type='none' model='dac'/>
</domain>
`
}

function kernelXml(machine: Machine, image_directory: string): string {
  const file = (name: string): string => checkedPath(join(image_directory, name))
  return `<kernel>${file('kernel')}</kernel><initrd>${file('initrd')}</initrd><cmdline>${kernelCommandLine(machine)}</cmdline>`
}

/** By its command line: libvirt's own process for our machine. */
export function isProcessOf(name: string, command_line: readonly string[]): boolean {
  const after = (option: string): string => command_line[command_line.indexOf(option) + 1] ?? ''
  return after('-name').split(',')[0] === `guest=${domainOf(name)}` && after('-uuid') === uuidOf(name)
}
