import { spawn } from 'node:child_process'
import { run } from '../../src/edges/command.ts'
import { ASKER_ADDRESS, ASKER_MAC } from './hosts.ts'
import type { Lab } from './lab.ts'
import { CLIENT_DEVICE } from './network.ts'

/** Who answered for an address: the truth of the net, virtual servers included. */
export interface ArpAnswer {
  /** When the frame arrived, in milliseconds by the clock of `performance`. */
  readonly at_ms: number
  readonly address: string
  readonly mac: string
}

/**
 * Asks, as a host of its own beside the client (an answer to the client itself would be a lesson that no client gets, and hide lost announcements), for every address once per line of its input and prints every answer that is addressed to the asker: announcements
 * are nobody's answer to a question. The kernel's own stamp of the frame's arrival (SIOCGSTAMP, microseconds since 1970) goes with
 * each answer: on a busy machine this program and its reader may see it half a second later. Perl because Node has no raw sockets, arping asks at most once a second, and
 * Debian's perl-base is always there. Arguments: device index, the asker's MAC (hex) and address, addresses.
 */
const PROGRAM = `
use strict; use Socket;
$| = 1;
my ($index, $mac, $own, @addresses) = @ARGV;
socket(my $s, 17, 3, unpack('S', pack('n', 0x0806))) or die "socket: $!";
bind($s, pack('SnlSCCa8', 17, 0x0806, $index, 0, 0, 0, '')) or die "bind: $!";
my $me = pack('H12', $mac);
while (1) {
  my $read = ''; vec($read, fileno($s), 1) = 1; vec($read, fileno(STDIN), 1) = 1;
  select($read, undef, undef, undef);
  if (vec($read, fileno(STDIN), 1)) {
    sysread(STDIN, my $ticks, 4096) or last;
    for my $address (@addresses) {
      send($s, "\\xff" x 6 . $me . pack('nnnCCn', 0x0806, 1, 0x0800, 6, 4, 1) . $me . inet_aton($own) . "\\0" x 6 . inet_aton($address), 0);
    }
  }
  next unless vec($read, fileno($s), 1);
  defined recv($s, my $frame, 1514, 0) or next;
  my ($to, $operation, $sender, $address) = unpack('a6 x14 n a6 a4', $frame);
  next unless $operation == 2 and $to eq $me;
  my $stamp = "\\0" x 16; ioctl($s, 0x8906, $stamp) or die "stamp: $!";
  my ($seconds, $microseconds) = unpack('qq', $stamp);
  print $seconds * 1000000 + $microseconds, ' ', inet_ntoa($address), ' ', join(':', map { sprintf '%02x', $_ } unpack('C6', $sender)), "\\n";
}
`

/** Starts asking from the client's namespace; the caller stops it. */
export async function watchArp(lab: Lab, addresses: readonly string[], period_ms: number, answered: (answer: ArpAnswer) => void): Promise<{ stop: () => Promise<void> }> {
  const { stdout } = await run('ip', ['-n', lab.client_namespace, '-j', 'link', 'show', 'dev', CLIENT_DEVICE], { limit_ms: 5_000 })
  const [link] = JSON.parse(stdout) as { ifindex: number }[]
  if (!link) throw new Error(`the client has no device ${CLIENT_DEVICE}`)
  const child = spawn('nsenter', [
    `--net=/run/netns/${lab.client_namespace}`, '--', 'perl', '-e', PROGRAM, '--',
    String(link.ifindex), ASKER_MAC.replaceAll(':', ''), ASKER_ADDRESS, ...addresses,
  ], { stdio: ['pipe', 'pipe', 'inherit'] })
  // It may be gone when the next question is due.
  child.stdin.on('error', () => undefined)
  const asking = setInterval(() => child.stdin.write('\n'), period_ms)
  child.stdin.write('\n')
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const since_1970_ms = Date.now() - performance.now()
    const lines = `${rest}${chunk.toString()}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [stamp, address, mac] = line.split(' ')
      if (address && mac) answered({ at_ms: Number(stamp) / 1_000 - since_1970_ms, address, mac })
    }
  })
  return {
    stop: async () => {
      clearInterval(asking)
      child.kill('SIGKILL')
      await ended
    },
  }
}
