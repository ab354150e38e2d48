/**
 * What we type into the shell. The shell is an interactive bash without a terminal: only an interactive bash drops the
 * whole command line on SIGINT (loops and lists included) and keeps its variables and functions, which is what a
 * timeout needs.
 *
 * - Descriptor 198 is the shell's own way out, 199 leads to the guard; commands get neither.
 * - Marks are written as `RS troupe <mark> <kind> ... NUL`. In the text we type they are escaped, so neither `set -v` nor
 *   `set -x` can print one.
 * - The guard is a child that stops a command whose time is over, or whose stop file appeared. It works inside the
 *   sandbox, so a command ends in time even when the runtime is gone. It finds a command's processes by TROUPE_CALL
 *   in their environment, also those that left the process group.
 * - When bash exits (`exit`, `set -e`), it leaves directory, exported variables, functions and aliases to the next one.
 */

/** As one word of bash. */
export const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

export const SHELL_LABEL = "troupe-shell"

/** The label is an argument of the process, so that a shell of ours is recognised in the list of sessions. */
export const shellArgv = (label: string): ReadonlyArray<string> => [
  "bash",
  "--noprofile",
  "--norc",
  "--noediting",
  "-i",
  "-s",
  `${SHELL_LABEL}-${label}`,
]

const GUARD_TICK_MS = 200

const guard = String.raw`
__troupe_guard() {
  local shell=$1 tag= mark= ticks=0 stop= why= n= ended= line= p=
  __troupe_signal() {
    for p in $(grep -lszx -- "TROUPE_CALL=$tag" /proc/[0-9]*/environ); do p=\${p#/proc/}; kill -"$1" "\${p%/environ}"; done
  }
  while :; do
    if [[ -z $tag ]]; then read -r line || exit 0
    else
      read -r -t 0.2 line; n=$?
      if (( n > 128 )); then line=tick; elif (( n )); then exit 0; fi
    fi
    case $line in
      run*) read -r _ tag mark ticks stop <<<"$line" ;;
      end) tag= ;;
      tick)
        (( --ticks > 0 )) || why=timeout
        [[ ! -e $stop ]] || why=stop
        if [[ $why ]]; then
          printf '\036troupe %s T %s\0' "$mark" "$why" >&198
          ended=
          for n in 1 2 3; do
            __troupe_signal INT; kill -INT "$shell"
            if read -r -t 0.4 line; then ended=1; break; fi
            __troupe_signal KILL
            if read -r -t 0.2 line; then ended=1; break; fi
          done
          __troupe_signal KILL
          rm -f -- "$stop"
          [[ $ended ]] || { kill -KILL "$shell"; exit 0; }
          tag= why=
        fi ;;
    esac
  done
}`.replaceAll("\\$", "$")

/** Typed once into a new shell. It answers with its home and whether it took over a state, then with an end mark that carries its directory. */
export const bootScript = (options: {
  readonly mark: string
  readonly thread: string
  readonly cwd: string | null
}): string => `
PS1= PS2= PS0= PROMPT_COMMAND=; unset HISTFILE MAILCHECK TMOUT; set +o history +H; set --; umask 077
exec 198>&1 2>&1
mkdir -p -- "$HOME/.troupe/run" "$HOME/.troupe/output"; umask 022
export TERM=dumb PAGER=cat GIT_PAGER=cat MANPAGER=cat GIT_TERMINAL_PROMPT=0 DEBIAN_FRONTEND=noninteractive
__troupe_state="$HOME/.troupe/run/${options.thread}.state"
__troupe_kept=0
if [[ -r $__troupe_state ]]; then . "$__troupe_state"; rm -f -- "$__troupe_state"; unset TROUPE_CALL; __troupe_kept=1
${
  options.cwd === null
    ? ""
    : `else cd -- ${quote(options.cwd)}
`
}fi
${guard}
exec 199> >( { __troupe_guard $$ <&3 >/dev/null 2>&1 3<&- 199>&- & } 3<&0 >/dev/null 2>&1 )
unset -f __troupe_guard
trap '{ (umask 077; { printf "cd -- %q\\n" "$PWD"; export -p; declare -f; alias -p; } >"$__troupe_state"); } 2>/dev/null' EXIT
find "$HOME/.troupe/run" "$HOME/.troupe/output" -type f -mtime +7 -delete
printf '\\036troupe %s H %d %s\\0\\036troupe %s E 0 %s\\0' ${options.mark} "$__troupe_kept" "$HOME" ${options.mark} "$PWD" >&198
`

/** Typed for each command. The subshells keep a dead guard from ending the shell with SIGPIPE. */
export const commandScript = (options: {
  readonly mark: string
  readonly tag: string
  readonly body: string
  readonly timeoutMs: number
  readonly stopFile: string
}): string => `{ printf '\\036troupe %s B\\0' ${options.mark} >&198; ( printf 'run %s %s %s %s\\n' ${options.tag} ${options.mark} ${Math.max(1, Math.ceil(options.timeoutMs / GUARD_TICK_MS))} ${quote(options.stopFile)} >&199 ); } 2>/dev/null
TROUPE_CALL=${options.tag} eval ${quote(options.body)} </dev/null >&198 2>&198 198>&- 199>&-
{ printf '\\036troupe %s E %d %s\\0' ${options.mark} "$?" "$PWD" >&198; ( printf 'end\\n' >&199 ); set +eu; } 2>/dev/null
`
