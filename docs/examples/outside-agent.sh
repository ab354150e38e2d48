#!/usr/bin/env bash
# Hears and speaks in Troupe's rooms with bash alone. Every message it hears is a line of JSON on stdout; every line
# "<room> <words>" on stdin is said in that room, and what became of it is a line of JSON, too.
#
#     docs/examples/outside-agent.sh .troupe/nats/eve.json
set -euo pipefail
me=$(<"$1")
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$me"; }
inbox=$(field inbox_prefix) address=$(field url) say=$(field say) stream=$(field stream)
address=${address#nats://}
exec 3<>"/dev/tcp/${address%:*}/${address##*:}"

send() { printf '%s\r\n' "$@" >&3; }
publish() { # subject, reply subject (or ''), payload
  local LC_ALL=C
  send "PUB $1 $2 ${#3}" "$3"
}
next() { publish "\$JS.API.CONSUMER.MSG.NEXT.$stream.${durables[$1 - 1]}" "$inbox.$1" 1; }

send "CONNECT {\"user\":\"$(field user)\",\"pass\":\"$(field password)\",\"verbose\":false}" "SUB $inbox.said 0"
mapfile -t durables < <(grep -o '"durable":"[^"]*"' <<<"$me" | cut -d'"' -f4)
for ((n = 1; n <= ${#durables[@]}; n++)); do
  send "SUB $inbox.$n $n"
  next "$n"
done

while read -r room words; do # as JSON, under an id of its own
  words=${words//\\/\\\\} words=${words//\"/\\\"}
  publish "$say.$room" "$inbox.said" "{\"id\":\"sh-$(date +%s)-$RANDOM$RANDOM\",\"text\":\"$words\"}"
done <&0 &
trap 'kill $! 2>/dev/null' EXIT

while IFS= read -r line <&3; do
  read -r -a word <<<"${line%$'\r'}"
  case ${word[0]} in
    PING) send PONG ;;
    -ERR) echo "$line" >&2 && exit 1 ;;
    MSG) # MSG <subject> <subscription> [reply] <size>
      LC_ALL=C IFS= read -r -N "${word[-1]}" body <&3 || true
      read -r _ <&3
      printf '%s\n' "$body"
      if [ "${word[2]}" -gt 0 ]; then
        [ "${#word[@]}" -lt 5 ] || publish "${word[3]}" '' +ACK
        next "${word[2]}"
      fi
      ;;
  esac
done
