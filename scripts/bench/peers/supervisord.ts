/** supervisord of Python as PID 1, in the foreground, without logs. */
import { names, type Peer, programOf } from '../peer.ts';

const CONF = '/etc/supervisord.conf';

export const supervisord: Peer = {
  name: 'supervisord',
  root: 'peers',
  files: (services) => ({
    'etc/supervisord.conf': [
      '[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0',
      'pidfile=/run/supervisord.pid\nminfds=10000\nminprocs=10000',
      '[unix_http_server]\nfile=/run/supervisor.sock',
      '[rpcinterface:supervisor]',
      'supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface',
      '[supervisorctl]\nserverurl=unix:///run/supervisor.sock',
      ...names(services).map((name) =>
        [
          `[program:${name}]\ncommand=${programOf(services)}\nautorestart=true\nstartsecs=0`,
          'stdout_logfile=NONE\nstderr_logfile=NONE',
        ].join('\n'),
      ),
      '',
    ].join('\n'),
  }),
  init: () => ['/usr/bin/python3', '/usr/bin/supervisord', '-n', '-c', CONF],
  stop: ['/usr/bin/python3', '/usr/bin/supervisorctl', '-c', CONF, 'stop', 'all'],
  status: ['/usr/bin/python3', '/usr/bin/supervisorctl', '-c', CONF, 'status', 'NAME'],
  restart: ['/usr/bin/python3', '/usr/bin/supervisorctl', '-c', CONF, 'restart', 'NAME'],
  readiness: false,
  waves: false,
  most: 1000,
  slow: true,
};
