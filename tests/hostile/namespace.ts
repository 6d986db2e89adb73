/** Linux namespaces for a test: every address is local, and packets are counted. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const UNSHARE = ['--map-root-user', '--net', '--mount'];
const INSIDE = 'TENSORGATE_TEST_NAMESPACE';

/**
 * Restarts the process of the test file in new network and mount namespaces; the code after this call runs there.
 * Returns false there. Returns the reason, for `skip`, if the machine does not allow it (missing privilege or program).
 */
export function enterNamespace(file: string): string | false {
  if (process.env[INSIDE]) return false;
  const probe = 'ip link set lo up && iptables -S && ip6tables -S';
  const { status } = spawnSync('unshare', [...UNSHARE, 'sh', '-c', probe]);
  if (status !== 0) return 'this machine does not allow a network namespace with iptables (unshare --net)';
  const unshare = execFileSync('which', ['unshare'], { encoding: 'utf8' }).trim();
  process.execve?.(unshare, ['unshare', ...UNSHARE, process.execPath, ...process.execArgv, file], {
    ...process.env,
    [INSIDE]: '1',
  });
  return 'this Node cannot replace its process (process.execve)';
}

/** Makes every IPv4 and IPv6 address local and 127.0.0.1 the name server. */
export function makeAllAddressesLocal(): void {
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

/** A destination that is not counted: a port, at one address or at any. */
export type Allowed = { readonly protocol: 'tcp' | 'udp'; readonly port: number; readonly address?: string };

/** Starts counting TCP SYN and UDP packets to destinations that are not allowed. */
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

/** The number of packets to destinations that are not allowed, from the kernel's counters. */
export function countDisallowedPackets(): number {
  return ['iptables', 'ip6tables']
    .flatMap((program) =>
      execFileSync(program, ['-L', 'OUTPUT', '-v', '-x', '-n'], { encoding: 'utf8' }).trim().split('\n').slice(-2),
    )
    .reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[0]), 0);
}
