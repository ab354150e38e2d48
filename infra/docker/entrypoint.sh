#!/bin/sh
# Runs the command as the user `troupe`. As root (the target `rooted`: Fly's volumes belong to root) it first hands the volume over,
# then gives root up for good.
set -eu
if [ "$(id -u)" -eq 0 ]; then
  chown troupe:troupe "$TROUPE_HOME"
  export HOME="$TROUPE_HOME"
  exec setpriv --reuid=troupe --regid=troupe --init-groups --inh-caps=-all --bounding-set=-all --no-new-privs -- "$@"
fi
exec "$@"
