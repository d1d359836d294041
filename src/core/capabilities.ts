/** The capabilities there are: linux/capability.h of Linux 6.12, in small letters, without CAP_. */
import { quoted } from './names.ts';
import { didYouMean } from './suggest.ts';

export const CAPABILITIES: readonly string[] = [
  ...['chown', 'dac_override', 'dac_read_search', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid'],
  ...['setpcap', 'linux_immutable', 'net_bind_service', 'net_broadcast', 'net_admin', 'net_raw'],
  ...['ipc_lock', 'ipc_owner', 'sys_module', 'sys_rawio', 'sys_chroot', 'sys_ptrace', 'sys_pacct'],
  ...['sys_admin', 'sys_boot', 'sys_nice', 'sys_resource', 'sys_time', 'sys_tty_config', 'mknod'],
  ...['lease', 'audit_write', 'audit_control', 'setfcap', 'mac_override', 'mac_admin', 'syslog'],
  ...['wake_alarm', 'block_suspend', 'audit_read', 'perfmon', 'bpf', 'checkpoint_restore'],
];

/** What a person is told who wrote another. */
export function unknownCapability({ input }: { readonly input: string }): string {
  const near = didYouMean(input.toLowerCase().replace(/^cap_/, ''), CAPABILITIES);
  return `expected a capability such as "net_bind_service", found ${quoted(input)}${near}`;
}
