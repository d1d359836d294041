/** Probes where svinit has no privilege at all: who asks is what svinit is. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { script } from '../supervisor/definitions.ts';
import { buildImages, refusal, start } from './container.ts';

const skip = refusal ?? false;
if (refusal !== null) console.error(`skipped: ${refusal}`);
await buildImages(t, RUNTIMES);

const asked = (text: string, keys: object): Readonly<Record<string, string>> => ({
  run: script(text),
  'service.json': JSON.stringify(keys),
});
const often = { interval: '50ms' };

const services = {
  file: asked('touch /record/file; idle', { ready: { file: '/record/file', ...often } }),
  line: asked('echo open; idle', { ready: { line: 'open', ...often } }),
  tcp: asked('exec httpd -f -p 127.0.0.1:9001 -h /tmp', {
    ready: { tcp: '127.0.0.1:9001', ...often },
  }),
  sick: asked('say start sick; touch /record/well; idle', {
    ready: { exec: ['test', '-e', '/record/well'], ...often },
    alive: { exec: ['test', '-e', '/record/well'], retries: 1, ...often },
  }),
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}, with no privilege: services are asked`, { skip }, async (t) => {
    const options = ['--user', '1000', '--read-only', '--cap-drop', 'all'];
    const container = await start(t, { runtime, services, options });
    await container.record.expect('@ start sick\n');
    const names = Object.keys(services);
    t.match(await container.svctl('wait', '--timeout=60s', ...names), { code: 0 });
    t.match(await container.run('rm', '/record/well'), { code: 0 });
    await container.record.expect(/@ start sick\n(?:.*\n)*@ start sick\n/);
    t.match(await container.svctl('wait', '--timeout=60s', 'sick'), { code: 0 });
    t.match((await container.svctl('logs', 'svprobe')).stdout, /sick is not alive: exit 1/);
    await container.stop();
    t.match(await container.end(), { code: 0 });
  });
}
