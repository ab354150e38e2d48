/**
 * What can go wrong between actors. Every error names the actor's path and what to do next. A crash inside a handler
 * reaches others only as `ActorCrashed` on their ask; the cause itself goes to the actor's own supervision.
 */
import * as Schema from "effect/Schema"

/** The actor could not be started for a reason that is not its own `init`. */
export class SpawnRefused extends Schema.TaggedError<SpawnRefused>()("SpawnRefused", {
  path: Schema.String,
  reason: Schema.Literals(["name-invalid", "name-taken", "parent-stopped", "stopped-while-starting"]),
}) {
  override get message(): string {
    switch (this.reason) {
      case "name-invalid":
        return `Actor name in "${this.path}" is not allowed: use 1 to 200 letters, digits, ".", "_" or "-".`
      case "name-taken":
        return `Actor "${this.path}" is already running: stop it first or choose another name.`
      case "parent-stopped":
        return `Actor "${this.path}" was not started because its parent has stopped: start the parent again.`
      case "stopped-while-starting":
        return `Actor "${this.path}" was stopped while it was starting: spawn it again if it is still wanted.`
    }
  }
}

/** The actor has stopped or no longer takes mail (terminal for this reference). */
export class ActorStopped extends Schema.TaggedError<ActorStopped>()("ActorStopped", {
  path: Schema.String,
}) {
  override get message(): string {
    return `Actor "${this.path}" has stopped: spawn it again and use the new reference.`
  }
}

/** The actor crashed while it handled the question, or was restarted before it answered. */
export class ActorCrashed extends Schema.TaggedError<ActorCrashed>()("ActorCrashed", {
  path: Schema.String,
  cause: Schema.Unknown,
}) {
  override get message(): string {
    return `Actor "${this.path}" crashed before it answered: look at the cause before asking again.`
  }
}

/** No answer in time. The question may still be handled later. */
export class AskTimeout extends Schema.TaggedError<AskTimeout>()("AskTimeout", {
  path: Schema.String,
  milliseconds: Schema.Number,
}) {
  override get message(): string {
    return `Actor "${this.path}" did not answer within ${this.milliseconds} ms: ask again or allow more time.`
  }
}

/** The mailbox is at its capacity (retry later, or use `offer`, which waits). */
export class MailboxFull extends Schema.TaggedError<MailboxFull>()("MailboxFull", { path: Schema.String }) {
  override get message(): string {
    return `The mailbox of actor "${this.path}" is full: use offer, which waits for room, or send less.`
  }
}
