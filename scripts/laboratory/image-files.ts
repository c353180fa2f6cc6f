/** The files of the root image that are the same in every host; part of the recipe's hash. */

const lines = (...each: string[]) => `${each.join('\n')}\n`

/** Nothing in a host may run by itself: a timer that wakes up looks like a fault in a measurement. */
export const MASKED_UNITS = [
  'apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer', 'e2scrub_reap.service', 'fstrim.timer',
  'logrotate.timer', 'systemd-networkd-wait-online.service', 'console-getty.service', 'getty.target', 'systemd-pstore.service',
  'systemd-timesyncd.service', 'postfix-resolvconf.path', 'remote-fs.target', 'systemd-update-utmp.service', 'systemd-update-utmp-runlevel.service',
  // It would save the machines at each shutdown; ringward's have nothing to save.
  'libvirt-guests.service',
] as const

export const WANTED_UNITS = ['systemd-networkd.service'] as const

export const IMAGE_FILES: Readonly<Record<string, string>> = {
  'etc/resolv.conf': '# The lab has no name server.\n',
  'etc/systemd/journald.conf.d/lab.conf': lines('[Journal]', 'Storage=volatile', 'RuntimeMaxUse=32M', 'RateLimitBurst=0'),
  // A hung process must not hold up a reboot for systemd's 90 s.
  'etc/systemd/system.conf.d/lab.conf': lines('[Manager]', 'DefaultTimeoutStopSec=10s', 'ShowStatus=no'),
  // The host's address lives on a bridge, so that virtual servers can join the net beside it.
  'etc/systemd/network/20-host0.network': lines('[Match]', 'Name=host0', '', '[Network]', 'Bridge=br0', 'LinkLocalAddressing=no'),
  // Taps belong to QEMU.
  'etc/systemd/network/30-others.network': lines('[Match]', 'Kind=tun', '', '[Link]', 'Unmanaged=yes'),
  'etc/ssh/sshd_config': lines(
    'HostKey /etc/ssh/ssh_host_ed25519_key', 'PermitRootLogin forced-commands-only', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no',
    'UseDNS no', 'UsePAM no', 'PrintMotd no',
    // The client's and the managers' dialogues end before a login; none of them may be turned away for it.
    'MaxStartups 200', 'LoginGraceTime 10',
  ),
  // Newer servers punish an address whose connections end before a login; older ones do not know the word.
  'etc/systemd/system/ssh.service.d/lab.conf': lines(
    '[Service]', 'ExecStartPre=',
    "ExecStartPre=/bin/sh -c 'sshd -t -o PerSourcePenalties=no 2>/dev/null && echo SSHD_OPTS=-oPerSourcePenalties=no > /run/lab-sshd || : > /run/lab-sshd'",
    'EnvironmentFile=-/run/lab-sshd',
  ),
  // Whatever confines machines on a real host is not to be had inside a container.
  'etc/libvirt/qemu.conf': lines('security_driver = "none"', 'namespaces = [ ]', 'cgroup_controllers = [ ]'),
  'etc/vsftpd.conf': lines(
    'listen=YES', 'listen_ipv6=NO', 'anonymous_enable=YES', 'local_enable=NO', 'anon_root=/var/lib/lab-ftp', 'no_anon_password=YES',
    'secure_chroot_dir=/var/run/vsftpd/empty', 'xferlog_enable=NO', 'max_clients=200', 'max_per_ip=200',
    // A network namespace per connection costs the kernel more than the connection.
    'isolate=NO', 'isolate_network=NO', 'seccomp_sandbox=NO',
  ),
  'etc/postfix/main.cf': lines(
    'compatibility_level = 3.6', 'inet_interfaces = all', 'inet_protocols = ipv4', 'mydestination = $myhostname, localhost',
    'mynetworks = 127.0.0.0/8', 'smtpd_banner = $myhostname ESMTP', 'smtpd_peername_lookup = no', 'biff = no', 'alias_maps =', 'alias_database =',
    'smtpd_client_connection_count_limit = 0', 'smtpd_client_connection_rate_limit = 0', 'queue_directory = /var/spool/postfix',
    'command_directory = /usr/sbin', 'daemon_directory = /usr/lib/postfix/sbin', 'data_directory = /var/lib/postfix', 'maillog_file =',
  ),
  // The proxy answers for one origin, the host's own web server: a page through it proves that it works without an internet.
  'etc/squid/squid.conf': lines(
    'http_port 3128', 'acl origin dst 127.0.0.1', 'http_access allow origin', 'http_access deny all', 'cache deny all', 'cache_mem 8 MB',
    'shutdown_lifetime 1 second', 'access_log none', 'cache_log /var/log/squid/cache.log', 'cache_store_log none', 'pinger_enable off',
    'netdb_filename none', 'dns_nameservers 127.0.0.1', 'max_filedescriptors 1024', 'visible_hostname proxy.lab.invalid', 'coredump_dir none',
  ),
  'etc/nginx/sites-available/default': lines('server {', '  listen 80 default_server;', '  access_log off;', '  root /var/www/html;', '  index index.html;', '}'),
  'var/www/html/index.html': '<!doctype html><title>ringward lab</title><p>The function is given.</p>\n',
  // Load for `lab fault load`: a share of one processor, or so many megabytes, or so many megabits a second to nobody.
  'usr/local/lib/lab/load.mjs': `import { createSocket } from 'node:dgram'
const [kind, amount, address] = [process.argv[2], Number(process.argv[3]), process.argv[4]]
if (kind === 'cpu') setInterval(() => { const end = performance.now() + Math.min(amount, 100); while (performance.now() < end); }, 100)
if (kind === 'memory') { globalThis.held = Array.from({ length: amount }, () => Buffer.alloc(1048576, 1)); setInterval(() => {}, 60000) }
if (kind === 'network') {
  const socket = createSocket('udp4'), packet = Buffer.alloc(1250)
  setInterval(() => { for (let sent = 0; sent < amount; sent += 1) socket.send(packet, 9999, address) }, 10)
}
`,
}
