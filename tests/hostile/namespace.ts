/** A world of a test's own: Linux namespaces in which every address is this process, and every packet is counted. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const UNSHARE = ['--map-root-user', '--net', '--mount'];
const INSIDE = 'TENSORGATE_TEST_NAMESPACE';

/**
 * Starts the test file's own process anew inside network and mount namespaces of its own; what follows the call runs
 * there. Gives why not where this machine does not let it (a container without the right, a missing program), for `skip`.
 */
export function enterNamespace(file: string): string | false {
  if (process.env[INSIDE]) return false;
  const probe = 'ip link set lo up && iptables -S && ip6tables -S';
  const { status } = spawnSync('unshare', [...UNSHARE, 'sh', '-c', probe]);
  if (status !== 0) return 'this machine gives no network namespace with iptables (unshare --net)';
  const unshare = execFileSync('which', ['unshare'], { encoding: 'utf8' }).trim();
  process.execve?.(unshare, ['unshare', ...UNSHARE, process.execPath, ...process.execArgv, file], {
    ...process.env,
    [INSIDE]: '1',
  });
  return 'this Node cannot replace its process (process.execve)';
}

/** Makes every address, IPv4 and IPv6, one of this machine, and 127.0.0.1 the name server. */
export function ownEveryAddress(): void {
  for (const args of ['link set lo up', 'route add local 0.0.0.0/0 dev lo', '-6 route add local ::/0 dev lo']) {
    execFileSync('ip', args.split(' '));
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'namespace-'));
  const file = path.join(folder, 'resolv.conf');
  writeFileSync(file, 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n');
  execFileSync('mount', ['--bind', file, '/etc/resolv.conf']);
  process.once('exit', () => {
    spawnSync('umount', ['/etc/resolv.conf']);
    rmSync(folder, { recursive: true });
  });
}

/** A connection that is meant to be: to this port of this address (any, where none is given). */
export type Allowed = { readonly protocol: 'tcp' | 'udp'; readonly port: number; readonly address?: string };

/** From now on counts every first packet of a TCP connection, and every UDP packet, to anywhere but what is allowed. */
export function countPackets(allowed: readonly Allowed[]): void {
  for (const program of ['iptables', 'ip6tables']) {
    const add = (...rule: string[]) => execFileSync(program, ['-A', 'OUTPUT', ...rule]);
    execFileSync(program, ['-F', 'OUTPUT']);
    for (const { protocol, port, address } of program === 'iptables' ? allowed : []) {
      add('-p', protocol, ...(address ? ['-d', address] : []), '--dport', `${port}`, '-j', 'ACCEPT');
      if (protocol === 'udp') add('-p', protocol, '--sport', `${port}`, '-j', 'ACCEPT');
    }
    add('-p', 'tcp', '--syn', '-j', 'ACCEPT');
    add('-p', 'udp', '-j', 'ACCEPT');
  }
}

/** How many packets went where they are not meant to go, by the kernel's counters. */
export function strayPackets(): number {
  return ['iptables', 'ip6tables']
    .flatMap((program) =>
      execFileSync(program, ['-L', 'OUTPUT', '-v', '-x', '-n'], { encoding: 'utf8' }).trim().split('\n').slice(-2),
    )
    .reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[0]), 0);
}
