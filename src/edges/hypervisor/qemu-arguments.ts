import { createHash } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { join } from 'node:path'
import type { Inventory, VirtualServer } from '../../core/inventory.ts'
import { RingwardError } from '../../errors.ts'

export const QEMU = 'qemu-system-x86_64'
/** A state loads only into the machine it was saved from: the versioned type stays the same through QEMU's updates. */
export const MACHINE = 'pc-i440fx-7.2'
/** The oldest common denominator, so that a state saved on one host loads on every other; with a random source for the guest's keys. */
export const PROCESSOR = 'qemu64,+rdrand'
/** The last kilobytes of the guest's console, for people; nothing on the disk can grow. */
const CONSOLE_BYTES = 65_536
/** Letters, digits, dot and dash: safe as file, unit and folder name, and in the one command line QEMU hands to a shell. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/
const PATH = /^\/[A-Za-z0-9._/-]*$/

export type Accelerator = 'kvm' | 'tcg'

export interface Network {
  /** Prefix length of the virtual servers' own addresses (IPV). */
  readonly prefix: number
  /** Their default gateway. */
  readonly gateway?: string
}

/**
 * The virtual servers' network as the ring's configuration says it. Whoever starts or saves a virtual server takes it from here:
 * it is part of a saved state's fingerprint.
 */
export function networkOf({ prefix_length, gateway }: Pick<Inventory, 'prefix_length' | 'gateway'>): Network {
  return { prefix: prefix_length, ...gateway === undefined ? {} : { gateway } }
}

export interface Machine {
  readonly server: VirtualServer
  readonly accelerator: Accelerator
  readonly network: Network
}

/** Where a machine's files lie while it runs, and its tap device. */
export interface MachinePlaces {
  readonly directory: string
  readonly pid_file: string
  readonly monitor: string
  readonly guest_agent: string
  readonly prepared: string
  readonly output: string
  readonly tap: string
}

export function placesOf(run_directory: string, name: string): MachinePlaces {
  const directory = join(run_directory, checkedName(name))
  return {
    directory, pid_file: join(directory, 'pid'), monitor: join(directory, 'monitor'), guest_agent: join(directory, 'guest-agent'),
    prepared: join(directory, 'prepared.json'), output: join(directory, 'output'),
    // Device names have at most 15 characters.
    tap: `vm-${createHash('sha256').update(name).digest('hex').slice(0, 10)}`,
  }
}

export function isName(name: string): boolean {
  return NAME.test(name) && !name.includes('..')
}

/** Throws HYPERVISOR_FAILED for what may not become part of a path. */
export function checkedName(name: string): string {
  if (!isName(name)) throw new RingwardError('HYPERVISOR_FAILED', `"${name}" may not be the name of a virtual server or image: letters, digits, dots and dashes only`)
  return name
}

/**
 * The saved state's file, `IMAGE/NAME.ACCELERATOR.FINGERPRINT.state`. The fingerprint covers all the guest sees, its address
 * included: a state saved for other settings is not found, instead of giving a wrong machine.
 */
export function statePath(share_vm_directory: string, machine: Machine): string {
  const fingerprint = createHash('sha256').update([...guestArguments(machine), kernelCommandLine(machine)].join('\0')).digest('hex').slice(0, 12)
  return checkedPath(join(share_vm_directory, checkedName(machine.server.image), `${checkedName(machine.server.name)}.${machine.accelerator}.${fingerprint}.state`))
}

/**
 * QEMU reads the file in a child of its own, through a shell: the path was checked to hold nothing a shell knows.
 * On a stream that ends before it begins QEMU 7.2 waits for ever, a processor busy; any other word makes it end.
 * Packed: loading takes 50 ms longer from a local disk and 500 ms less over a share of 1 Gbit/s (29 instead of 89 MB).
 */
export function loadUri(path: string): string {
  return `exec:zstd -dcq ${checkedPath(path)} || echo none`
}

/** Where `loadUri` reads from; the file must not be in use: saving replaces it. */
export function saveUri(path: string): string {
  return `exec:zstd -1 -q -f -o ${checkedPath(path)}`
}

/** The whole command line. A machine that loads a state needs no kernel file: the kernel is in the state. */
export function qemuArguments(machine: Machine, places: MachinePlaces, start: { readonly image_directory: string } | 'incoming'): string[] {
  return [
    '-name', machine.server.name, '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-S',
    ...guestArguments(machine),
    ...(start === 'incoming'
      ? ['-incoming', 'defer']
      : ['-kernel', checkedPath(join(start.image_directory, 'kernel')), '-initrd', checkedPath(join(start.image_directory, 'initrd')), '-append', kernelCommandLine(machine)]),
    // Without `script=no` QEMU would run programs; the tap goes with the process, so that nothing stays when the guard kills it.
    '-netdev', `tap,id=net0,ifname=${places.tap},script=no,downscript=no`,
    '-chardev', `socket,id=agent,path=${checkedPath(places.guest_agent)},server=on,wait=off`,
    '-chardev', `ringbuf,id=console,size=${CONSOLE_BYTES}`,
    '-qmp', `unix:${checkedPath(places.monitor)},server=on,wait=off`,
    '-pidfile', checkedPath(places.pid_file),
  ]
}

/** All the guest can see: the same at saving and at loading. */
function guestArguments({ server, accelerator }: Machine): string[] {
  return [
    '-machine', `${MACHINE},accel=${accelerator},usb=off,vmport=off`, '-cpu', PROCESSOR,
    '-m', `${server.memory_mb}M`, '-smp', `${server.cpus}`,
    '-device', `virtio-net-pci,netdev=net0,mac=${macOf(server.address)},romfile=`,
    '-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0',
    '-serial', 'chardev:console',
  ]
}

export function kernelCommandLine({ server, network }: Machine): string {
  const gateway = network.gateway === undefined ? '' : ` guest_gateway=${checkedAddress(network.gateway)}`
  return 'console=ttyS0 quiet panic=-1 rootfstype=ramfs random.trust_cpu=on mitigations=off no_timer_check cryptomgr.notests 8250.nr_uarts=1 audit=0 apparmor=0 '
    + `guest_name=${checkedName(server.name)} guest_address=${checkedAddress(server.address)}/${network.prefix}${gateway}`
}

/** Locally administered, derived from IPV: the same on every host, different for every virtual server. */
export function macOf(address: string): string {
  return ['52', '54', ...checkedAddress(address).split('.').map(part => Number(part).toString(16).padStart(2, '0'))].join(':')
}

export function checkedAddress(address: string): string {
  if (!isIPv4(address)) throw new RingwardError('HYPERVISOR_FAILED', `"${address}" is no IPv4 address`)
  return address
}

export function checkedPath(path: string): string {
  if (!PATH.test(path)) throw new RingwardError('HYPERVISOR_FAILED', `"${path}" holds characters that QEMU or a shell could misread; choose another folder`)
  return path
}
