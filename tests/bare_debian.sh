#!/usr/bin/env bash
# A bare Debian, and the project in it as a newcomer meets it: how long until the first call, and does it stop cleanly?
#
#     tests/bare_debian.sh [bookworm|trixie] [root|user] [COMMAND…]
#
# Without a COMMAND: `make up` until its addresses are printed, a call to 600, Ctrl-C, and all of it once more. It fails
# where that takes more than 300 s, the second time 10 s, where Ctrl-C is not a clean end, or leaves a process.
#
# What is bare has git, make and Python alone (and certificates, without which git has no https). `user` is an ordinary
# one with sudo. Runs as root; needs mmdebstrap. The bare root is kept below $BARE (default /var/tmp/hotline-bare) for
# the next time, under the names of what is in it. OFFLINE=1: the COMMAND runs in the root that the last one left, on a network
# card that leads nowhere (a browser's telephone takes no sound from loopback alone).
set -eu
suite=${1:-bookworm}; who=${2:-root}; shift $(($# < 2 ? $# : 2))
project=$(cd "$(dirname "$0")/.." && pwd)
has=git,make,python3,ca-certificates; [ "$who" = root ] || has=$has,sudo
base=${BARE:-/var/tmp/hotline-bare}; clean=$base/$suite.$has root=$base/$suite
mkdir -p "$base"
mirror=$(cd "$project" && "${PYTHON:-python3}" -c 'from hotline import debian_mirror; print(debian_mirror.mirror())')
home=/root; [ "$who" = root ] || home=/home/newcomer
alone=(); [ -z "${OFFLINE:-}" ] || alone=(unshare --net bash -c '
  ip link set lo up && ip link add card type veth peer name nowhere && ip link set nowhere up
  ip address add 192.0.2.1/24 dev card && ip link set card up
  exec "$@"' offline)

if [ -z "${OFFLINE:-}" ]; then
  [ -d "$clean" ] || mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
    --include="$has" "$suite" "$clean" "$mirror"
  rm -rf "$root"; cp -a "$clean" "$root"
  # what a machine behind a company's mirror has: its resolver, its certificates, its registries
  cp /etc/resolv.conf /etc/hosts "$root/etc/"; cp -r /etc/ssl/certs "$root/etc/ssl/"
  for file in /etc/pip.conf /etc/npmrc; do [ ! -f $file ] || cp $file "$root/etc/"; done
  if [ "$who" = user ]; then
    chroot "$root" useradd -m -s /bin/bash newcomer
    echo "newcomer ALL=(ALL) NOPASSWD: ALL" >"$root/etc/sudoers.d/newcomer"
  fi
  [ ! -f /root/.npmrc ] || cp /root/.npmrc "$root$home/"
  git clone -q "$project" "$root$home/a project"
  [ "$who" = root ] || chroot "$root" chown -R newcomer: "$home"
fi

cat >"$root$home/newcomer.sh" <<'NEWCOMER'
set -eu
pid= most=300
trap '[ -z "$pid" ] || ! kill -0 $pid 2>/dev/null || { kill -INT -- -$pid; wait $pid; }' EXIT
now() { date +%s.%N; }
fails() { echo "$*"; cat "../$run.log"; exit 1; }
# Every process but this one, what it asks with, and who started it: this is a name space of processes of its own.
others() {
  for one in /proc/[0-9]*; do
    said=$(tr '\0' ' ' 2>/dev/null <"$one/cmdline") || continue
    case $said in "" | tr\ * | *newcomer*) ;; *) echo "$said" ;; esac
  done
}
for run in first second; do
  begun=$(now)
  setsid make up >"../$run.log" 2>&1 & pid=$!
  until grep -q "dial 600" "../$run.log"; do kill -0 $pid || fails "make up has ended"; sleep 0.1; done
  took=$(echo "$(now) $begun" | awk '{printf "%.1f", $1 - $2}')
  echo "$run make up: $took s, of $most"
  awk "BEGIN {exit $took > $most}" || fails "that is too long"
  .venv/bin/python - <<'PYTHON'
import asyncio
from hotline import numbering
from hotline.asterisk import asterisk_cli
from hotline.places import places, read_secrets
from hotline.settings_file import load

async def call():
    settings = load(None)
    here = places(settings)
    reader, writer = await asyncio.open_connection(settings.address, numbering.AMI_PORT)
    login = ("Action: Login", f"Username: {numbering.AMI_USER}", f"Secret: {read_secrets(here).ami}")
    dial = ("Action: Originate", "Channel: Local/600@hotline/n", "Application: Wait", "Data: 20", "Async: true")
    for action in (login, dial):
        writer.write("\r\n".join((*action, "", "")).encode())
    for _ in range(100):
        if "!AGI!" in await asterisk_cli(here.asterisk, "core show channels concise"):
            return print("a call: the ivr has it")
        await asyncio.sleep(0.1)
    raise SystemExit("the call did not reach the ivr")

asyncio.run(call())
PYTHON
  kill -INT -- -$pid  # make does not hear it, being started behind: what it ends with is what the hotline ended with
  wait $pid || fails "Ctrl-C: ended with $?"
  left=$(others); [ -z "$left" ] || fails "Ctrl-C: still there: $left"
  echo "Ctrl-C: ended"
  most=10
done
grep -q "Installing python3-venv" ../first.log || { run=first; fails "python3-venv was there: this is no bare machine"; }
NEWCOMER

[ $# -gt 0 ] || set -- bash ../newcomer.sh
as=(); [ "$who" = root ] || as=(runuser -u newcomer --)
begun=$(date +%s)
# Its own root, not a chroot: in one of those the kernel lets no ordinary user make a namespace.
cat >"$root/enter.sh" <<'ENTER'
set -eu
cd "$1"; shift
mount --bind . .; cd .
mount -t proc proc proc
for folder in dev sys; do mount --rbind /$folder $folder; done
mkdir -p .old; pivot_root . .old; cd /; umount -l /.old
exec "$@"
ENTER
"${alone[@]}" unshare --mount --propagation private --pid --fork --kill-child bash "$root/enter.sh" "$root" "${as[@]}" env -i HOME=$home USER="$who" \
  LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
  REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
  bash -c 'cd "$0/a project" && "$@"' "$home" "$@" && code=0 || code=$?
echo "bare $suite, as $who: exit $code after $(($(date +%s) - begun)) s"
exit $code
