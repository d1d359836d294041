#!/bin/sh
# prepare.sh: what the benchmark runs, below build/bench; nothing is installed on this machine.
#
#   build/bench/programs/  tick, meter and limit, compiled here
#   build/bench/peers/     a root with Debian's packages of the peers and all they depend on
#   build/bench/pm2/       pm2 from npm
# What cannot be fetched is named, and not measured.
set -eu
cd "$(dirname "$0")/../.."
bench=$PWD/build/bench
peers='s6 execline runit tini systemd supervisor daemontools'
also='busybox-static util-linux libstdc++6 libatomic1'
mkdir -p "$bench/programs" "$bench/apt/archives/partial"

compile() {
  gcc -O2 -Wall -Wextra -Werror -static "$@"
}

# tick needs no C library, and is none the slower for it.
tick() {
  target=$1
  shift
  compile -nostdlib -ffreestanding -fno-stack-protector -fno-pie -no-pie -Wl,--build-id=none \
    "$@" scripts/bench/tick.c -o "$bench/programs/$target"
}

if [ ! -e "$bench/programs/done" ] || [ -n "$(find scripts/bench \
  \( -name '*.[ch]' -o -name 'limit*.ts' \) -newer "$bench/programs/done")" ]; then
  tick tick
  tick tick-ready -DREADY_MS=0
  tick tick-10ms -DREADY_MS=10
  compile scripts/bench/meter.c -o "$bench/programs/meter"
  bun build --compile --no-compile-autoload-bunfig --no-compile-autoload-dotenv --bytecode \
    --format=esm --external=node:ffi --outfile "$bench/programs/limit-bun" scripts/bench/limit.ts
  node --disable-warning=ExperimentalWarning scripts/bench/limit-sea.ts "$bench/programs"
  strip "$bench"/programs/tick* "$bench/programs/meter"
  touch "$bench/programs/done"
fi

# The packages with all they depend on, as on a machine where nothing is installed yet.
download() {
  : >"$bench/apt/status"
  # shellcheck disable=SC2086
  apt-get -qq --yes -o "Dir::State::status=$bench/apt/status" -o "Dir::Cache=$bench/apt" $lists \
    -o APT::Sandbox::User=root --no-install-recommends --download-only install $peers $also
}

unpack() {
  rm -rf "$bench/new"
  mkdir -p "$bench/new/usr/bin" "$bench/new/usr/sbin" "$bench/new/usr/lib" "$bench/new/usr/lib64"
  for directory in bin sbin lib lib64; do
    ln -s "usr/$directory" "$bench/new/$directory"
  done
  for package in "$bench"/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" |
      tar -x --keep-directory-symlink -C "$bench/new" --exclude=./usr/share/doc \
        --exclude=./usr/share/man --exclude=./usr/share/locale
  done
  ln -sf busybox "$bench/new/usr/bin/sh"
  mv "$bench/new" "$bench/peers"
}

if [ ! -e "$bench/peers" ]; then
  lists=''
  if download 2>"$bench/apt/errors" || {
    mkdir -p "$bench/apt/lists/partial"
    lists="-o Dir::State::lists=$bench/apt/lists"
    # shellcheck disable=SC2086
    apt-get -qq $lists update && download
  }; then
    unpack
  else
    cat "$bench/apt/errors"
    echo "Cannot fetch the packages of the peers: they are not measured."
  fi
fi

if [ ! -e "$bench/pm2/node_modules/pm2" ]; then
  npm install --prefix "$bench/pm2" --ignore-scripts --no-audit --no-fund --no-update-notifier \
    --loglevel=error pm2@7.0.4 || echo "Cannot fetch pm2: it is not measured."
fi
