import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run, runOrFail } from '../../src/edges/command.ts'
import { hostPlaces, LabError, type Lab } from './lab.ts'
import { portOf, SWITCH_BRIDGE } from './network.ts'
import { end, forgetProcess, isAlive, recordedProcess, startRecorded } from './processes.ts'

const LIMIT_MS = 10_000
/** The relay needs some milliseconds to make its device. */
const START_LIMIT_MS = 5_000

/**
 * Carries frames between a host's cable and a port of the switch that it makes itself, and loses or holds back what the host sends, as netem would on the
 * host's card; many kernels come without netem, and the other tools of the kernel cannot hold a frame back. Held back by chances of their own, frames overtake one another, as in netem. What the
 * host receives goes through at once. A frame keeps the header (10 bytes) in which the kernel says what is still to be done to it: checksum, segments.
 * Ends when the cable is gone. Perl because Node has neither raw sockets nor ioctl, and perl-base is always there, without a clock finer than a second: that is asked
 * of the kernel (clock_gettime, 228 on amd64). Arguments: index of the cable's end, name of the port, chance of loss, longest time held back in seconds.
 */
const RELAY = `
use strict;
my ($index, $port, $loss, $late) = @ARGV;
sub now { my $time = "\\0" x 16; syscall(228, 1, $time); my ($seconds, $nanoseconds) = unpack('qq', $time); return $seconds + $nanoseconds / 1e9 }
socket(my $cable, 17, 3, 0) or die "socket: $!";
setsockopt($cable, 263, 15, pack('i', 1)) or die "PACKET_VNET_HDR: $!";
setsockopt($cable, 263, 23, pack('i', 1)) or die "PACKET_IGNORE_OUTGOING: $!";
bind($cable, pack('SnlSCCa8', 17, 0x0003, $index, 0, 0, 0, '')) or die "bind: $!";
open(my $switch, '+<', '/dev/net/tun') or die "tun: $!";
ioctl($switch, 0x400454ca, pack('a16 S x22', $port, 0x0002 | 0x1000 | 0x4000)) or die "TUNSETIFF: $!";
my @held;
while (1) {
  my $wait = @held ? $held[0][0] - now() : undef;
  my $ready = ''; vec($ready, fileno($cable), 1) = 1; vec($ready, fileno($switch), 1) = 1;
  select($ready, undef, undef, defined $wait && $wait < 0 ? 0 : $wait);
  if (vec($ready, fileno($cable), 1)) {
    defined recv($cable, my $frame, 131072, 0) or last;
    if (rand() >= $loss) {
      my $due = now() + rand() * $late;
      my $place = @held;
      $place-- while $place > 0 && $held[$place - 1][0] > $due;
      splice(@held, $place, 0, [$due, $frame]);
    }
  }
  if (vec($ready, fileno($switch), 1)) {
    defined sysread($switch, my $frame, 131072) or last;
    # A full cable loses it.
    send($cable, $frame, 0);
  }
  syswrite($switch, (shift @held)->[1]) while @held && $held[0][0] <= now();
}
`

function roleOf(host: string): string {
  return `lossy-${host}`
}

/** Name of the cable's end while a relay stands where its port was. */
function cableOf(host: string): string {
  return `cable-${host}`
}

/** Of the frames that a host sends, its virtual servers' included, so many percent are lost, and the others come late, each by its own time up to `late_ms`; until it is healed or loses its power. */
export async function makeLossy(lab: Lab, host: string, percent: number, late_ms: number): Promise<void> {
  await healLossy(lab, host)
  const ip = (...args: string[]) => runOrFail('ip', ['-n', lab.switch_namespace, ...args], { limit_ms: LIMIT_MS })
  const [port, cable] = [portOf(host), cableOf(host)]
  // The port keeps its name, for cuts are told by it. Nobody answers on the bare cable but the relay.
  await ip('link', 'set', 'dev', port, 'nomaster')
  await ip('link', 'set', 'dev', port, 'down', 'name', cable)
  await ip('link', 'set', 'dev', cable, 'arp', 'off', 'addrgenmode', 'none', 'up')
  const [link] = JSON.parse(await ip('-j', 'link', 'show', 'dev', cable)) as { ifindex: number }[]
  const words = join(hostPlaces(lab, host).base, 'lossy.log')
  const relay = await startRecorded(lab.directory, roleOf(host), 'nsenter', [
    `--net=/run/netns/${lab.switch_namespace}`, '--', 'perl', '-e', RELAY, '--', String(link?.ifindex), port, String(percent / 100), String(late_ms / 1_000),
  ], words)
  for (let waited_ms = 0; !await hasLink(lab, port); waited_ms += 20) {
    if (!isAlive(relay) || waited_ms > START_LIMIT_MS) throw new LabError(`the relay before ${host} did not start: ${(await readFile(words, 'utf8')).trim().slice(-400)}`)
    await sleep(20)
  }
  await ip('link', 'set', 'dev', port, 'master', SWITCH_BRIDGE, 'up')
}

async function hasLink(lab: Lab, name: string): Promise<boolean> {
  return (await run('ip', ['-n', lab.switch_namespace, 'link', 'show', 'dev', name], { limit_ms: LIMIT_MS })).status === 0
}

/** The cable is in the switch again. */
export async function healLossy(lab: Lab, host: string): Promise<void> {
  const relay = await recordedProcess(lab.directory, roleOf(host))
  if (relay) await end(relay)
  await forgetProcess(lab.directory, roleOf(host))
  const [port, cable] = [portOf(host), cableOf(host)]
  // Nothing was lossy, or the host lost its power, took its cable along, and brought a new one.
  if (!await hasLink(lab, cable)) return
  const ip = (...args: string[]) => runOrFail('ip', ['-n', lab.switch_namespace, ...args], { limit_ms: LIMIT_MS })
  await ip('link', 'set', 'dev', cable, 'down', 'arp', 'on', 'name', port)
  await ip('link', 'set', 'dev', port, 'master', SWITCH_BRIDGE, 'up')
}
