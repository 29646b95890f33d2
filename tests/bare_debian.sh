#!/usr/bin/env bash
# A bare Debian, and the project in it as a newcomer meets it: how long until the first call, and does it stop cleanly?
#
#     tests/bare_debian.sh [bookworm|trixie] [root|user] [COMMAND…]
#
# Without a COMMAND: `make up` until its addresses are printed, a call to 600, Ctrl-C, and all of it once more. `user`
# is an ordinary one with sudo. Runs as root; needs mmdebstrap. The bare root is kept below $BARE (default
# /var/tmp/hotline-bare) for the next time. OFFLINE=1: the COMMAND runs in the root that the last one left, on a network
# card that leads nowhere (a browser's telephone takes no sound from loopback alone).
set -eu
suite=${1:-bookworm}; who=${2:-root}; shift $(($# < 2 ? $# : 2))
project=$(cd "$(dirname "$0")/.." && pwd)
base=${BARE:-/var/tmp/hotline-bare}; clean=$base/$suite.clean root=$base/$suite
mkdir -p "$base"
mirror=$(cd "$project" && "${PYTHON:-python3}" -c 'from hotline import debian_mirror; print(debian_mirror.mirror())')
home=/root; [ "$who" = root ] || home=/home/newcomer
alone=(); [ -z "${OFFLINE:-}" ] || alone=(unshare --net bash -c '
  ip link set lo up && ip link add card type veth peer name nowhere && ip link set nowhere up
  ip address add 192.0.2.1/24 dev card && ip link set card up
  exec "$@"' offline)

if [ -z "${OFFLINE:-}" ]; then
  [ -d "$clean" ] || mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
    --include=git,make,python3,python3-venv,python3-pip,ca-certificates,sudo,procps "$suite" "$clean" "$mirror"
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
now() { date +%s.%N; }
pid=
trap '[ -z "$pid" ] || ! kill -0 $pid 2>/dev/null || { kill -INT -- -$pid; wait $pid; }' EXIT
since() { echo "$(now) $1" | awk '{printf "%.1f s", $1 - $2}'; }
for run in first second; do
  begun=$(now)
  setsid make up >"../$run.log" 2>&1 & pid=$!
  until grep -q "dial 600" "../$run.log"; do kill -0 $pid || { cat "../$run.log"; exit 1; }; sleep 0.1; done
  echo "$run make up: $(since "$begun")"
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
  kill -INT -- -$pid
  wait $pid && echo "Ctrl-C: ended"
done
NEWCOMER

[ $# -gt 0 ] || set -- bash ../newcomer.sh
as=(); [ "$who" = root ] || as=(runuser -u newcomer --)
begun=$(date +%s)
# Its own root, not a chroot: in one of those the kernel lets no ordinary user make a namespace.
cat >"$root/enter.sh" <<'ENTER'
set -eu
cd "$1"; shift
mount --bind . .; cd .
for folder in proc dev sys; do mount --rbind /$folder $folder; done
mkdir -p .old; pivot_root . .old; cd /; umount -l /.old
exec "$@"
ENTER
"${alone[@]}" unshare --mount --propagation private bash "$root/enter.sh" "$root" "${as[@]}" env -i HOME=$home USER="$who" \
  LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
  REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
  bash -c 'cd "$0/a project" && "$@"' "$home" "$@" && code=0 || code=$?
echo "bare $suite, as $who: exit $code after $(($(date +%s) - begun)) s"
exit $code
