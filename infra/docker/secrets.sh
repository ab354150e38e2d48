#!/bin/sh
# Makes what docker-compose.yml takes as secrets, in ./secrets beside it. What is there already stays as it is, so it may be run again.
# The directory is closed to other users; the files in it are not, because the containers' users read them through their mounts.
set -eu
dir=${1:-"$(dirname "$0")/../../secrets"}
(umask 077 && mkdir -p "$dir")
chmod 700 "$dir"
cd "$dir"
umask 022

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
# keep NAME VALUE: one file, unless it is there.
keep() {
  [ -e "$1" ] && return
  printf '%s\n' "$2" >"$1.new"
  mv "$1.new" "$1"
  echo "made $1"
}

keep postgres_password "$(random)"
keep database_url "postgres://troupe:$(cat postgres_password)@postgres:5432/troupe"
keep encryption_key "$(random)"
keep grafana_password "$(random)"
keep nats_passwords "TROUPE_RUNTIME_PASSWORD: \"$(random)\"
TROUPE_INSPECTOR_PASSWORD: \"$(random)\""
keep nats_url "nats://runtime:$(sed -n 's/^TROUPE_RUNTIME_PASSWORD: "\(.*\)"$/\1/p' nats_passwords)@nats:4222"
# Empty until you put yours in: then Claude answers, agents work at Fly Sprites, the bot is at work, Prometheus may look.
for name in anthropic_api_key sprites_token telegram_bot_token metrics_token; do keep "$name" ""; done
