/** What the image of a virtual server is made of. Change anything here or in `files/` and the image is built anew. */

/** Debian release of the guest, whatever the host runs: saved states depend on nothing of the host but QEMU. */
export const SUITE = 'bookworm'

/** Real programs from Debian; apt resolves the libraries. */
export const PACKAGES = [
  'linux-image-cloud-amd64', 'busybox-static', 'libc-bin',
  'qemu-guest-agent',
  'webfs', // HTTP, one process without forks: the first answer after a resume is the fastest
  'vsftpd', 'dropbear-bin',
  'msmtp-mta', // msmtpd, a small SMTP server
  'tinyproxy-bin',
] as const

/** Programs taken into the image, with every library they load. */
export const PROGRAMS = [
  '/usr/sbin/qemu-ga', '/usr/bin/webfsd', '/usr/sbin/vsftpd', '/usr/sbin/dropbear', '/usr/bin/msmtpd', '/usr/bin/tinyproxy',
] as const

/** Drivers in loading order, below the kernel's module folder. */
export const MODULES = [
  'drivers/virtio/virtio_ring.ko', 'drivers/virtio/virtio.ko', 'drivers/virtio/virtio_pci_legacy_dev.ko', 'drivers/virtio/virtio_pci_modern_dev.ko',
  'drivers/virtio/virtio_pci.ko', 'net/core/failover.ko', 'drivers/net/net_failover.ko', 'drivers/net/virtio_net.ko', 'drivers/char/virtio_console.ko',
] as const

/** Commands of busybox the image calls by name. */
export const APPLETS = [
  'arping', 'cat', 'date', 'dd', 'free', 'grep', 'hostname', 'init', 'ip', 'kill', 'ln', 'ls', 'mkdir', 'mount', 'mv', 'netstat', 'ping', 'ps',
  'rm', 'sh', 'sleep', 'sync', 'tr', 'umount', 'wget',
] as const

/** Where each file of `files/` goes, with its mode. */
export const FILES: Readonly<Record<string, readonly [path: string, mode: number]>> = {
  init: ['/init', 0o755],
  inittab: ['/etc/inittab', 0o644],
  passwd: ['/etc/passwd', 0o644],
  group: ['/etc/group', 0o644],
  'vsftpd.conf': ['/etc/vsftpd.conf', 0o644],
  'tinyproxy.conf': ['/etc/tinyproxy.conf', 0o644],
  'mime.types': ['/etc/mime.types', 0o644],
  hwclock: ['/sbin/hwclock', 0o755],
  deliver: ['/usr/sbin/deliver', 0o755],
}

/** Ports that answer in a ready virtual server: FTP, SSH, SMTP, HTTP, HTTP proxy. */
export const SERVICE_PORTS = [21, 22, 25, 80, 3128] as const
