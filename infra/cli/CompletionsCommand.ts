/** `troupe completions bash`: a script for the shell, for `source <(...)` or a file. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"

export const completions = (root: () => Command.Command.Any) =>
  Command.make(
    "completions",
    { shell: Argument.Literals("shell", ["bash", "zsh", "fish"]) },
    Effect.fnUntraced(function* ({ shell }) {
      yield* Console.log(Completions.generate("troupe", shell, Completions.fromCommand(root())))
    }),
  ).pipe(Command.withDescription("A completion script for bash, zsh or fish"))
