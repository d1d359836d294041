/**
 * Packages of Debian that bring services for runit, unpacked and not installed: downloaded by
 * scripts/fetch.sh into build/runit where they are not there yet. What their maintainer scripts
 * would have done, users and directories and links, `prepare` does; no file of theirs is changed.
 */
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import {
  appendFileSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { deflateSync } from 'node:zlib';

export const PACKAGES: string = resolve('build/runit/root');

/** False, or why they cannot be run: a tap `skip`. */
export function packagesSkip(): false | string {
  if (process.getuid?.() !== 0) return 'daemons that become other users need root';
  if (existsSync(PACKAGES)) return false;
  try {
    execFileSync('scripts/fetch.sh', ['runit'], { stdio: 'pipe' });
    return false;
  } catch {
    return 'the packages cannot be fetched (scripts/fetch.sh runit)';
  }
}

/** The services of five packages. */
export const SERVICES: readonly string[] = [
  ...['bcron-sched', 'bcron-spool', 'bcron-update'],
  ...['git-daemon', 'mini-httpd', 'socklog-unix', 'ssh'],
];

const USERS: readonly string[] = [
  ...['_runit-log', '_socklog-unix', 'cron', 'gitdaemon', 'gitlog', 'sshd'],
];
const FIRST_ID = 100;

/** Makes of a root one where the services of that name are enabled, as Debian does it. */
export function prepare(root: string, enabled: readonly string[]): void {
  USERS.forEach((user, i) => {
    const id = FIRST_ID + i;
    appendFileSync(join(root, 'etc/passwd'), `${user}:x:${id}:${id}::/:/usr/sbin/nologin\n`);
    appendFileSync(join(root, 'etc/group'), `${user}:x:${id}:\n`);
  });
  appendFileSync(join(root, 'etc/group'), 'adm:x:4:\n');
  for (const name of enabled) {
    link(`/etc/sv/${name}`, join(root, 'etc/runit/runsvdir/default', name));
    mkdirSync(join(root, 'var/log/runit', name), { recursive: true });
  }
  // sv looks there, and scripts call it.
  rmSync(join(root, 'etc/service'), { force: true });
  link('/run/sv', join(root, 'etc/service'));
  secureShell(root);
  repository(root);
  write(root, 'var/www/html/index.html', 'it works\n');
  mkdirSync(join(root, 'etc/cron.d'), { recursive: true });
  write(root, 'etc/crontab', '* * * * * root true\n');
  for (const directory of ['tmp', 'crontabs']) {
    chown(root, join('var/spool/cron', directory), 'cron');
  }
}

function secureShell(root: string): void {
  copyFileSync(join(PACKAGES, 'usr/share/openssh/sshd_config'), join(root, 'etc/ssh/sshd_config'));
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  writeFileSync(join(root, 'etc/ssh/ssh_host_rsa_key'), privateKey, { mode: 0o600 });
}

/** A bare repository with one commit of nothing. */
function repository(root: string): void {
  const git = 'var/lib/git/test.git';
  const who = 'nobody <nobody@localhost> 0 +0000';
  const tree = gitObject(root, git, 'tree', '');
  const text = `tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nnothing\n`;
  write(root, `${git}/refs/heads/main`, `${gitObject(root, git, 'commit', text)}\n`);
  write(root, `${git}/HEAD`, 'ref: refs/heads/main\n');
  write(root, `${git}/config`, '[core]\n\trepositoryformatversion = 0\n\tbare = true\n');
  write(root, `${git}/git-daemon-export-ok`, '');
  chown(root, git, 'gitdaemon');
}

/** A loose object: its type, length and content, deflated, by the digest of that. */
function gitObject(root: string, git: string, type: string, text: string): string {
  const content = `${type} ${text.length}\0${text}`;
  const digest = createHash('sha1').update(content).digest('hex');
  const path = `${git}/objects/${digest.slice(0, 2)}/${digest.slice(2)}`;
  write(root, path, deflateSync(content));
  return digest;
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

function write(root: string, path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function chown(root: string, path: string, user: string): void {
  const id = FIRST_ID + USERS.indexOf(user);
  mkdirSync(join(root, path), { recursive: true });
  chownSync(join(root, path), id, id);
  execFileSync('chown', ['-R', `${id}:${id}`, join(root, path)]);
}
