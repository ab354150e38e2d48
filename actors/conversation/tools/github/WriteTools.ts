/** Writing on GitHub: for people whose permission reaches what the repository's policy asks for. Each write happens once. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { callKey, comment, openIssue, review, type Github } from "../../../../integrations/github/index.ts"
import { done, Refusal, schemaTool } from "../SchemaTool.ts"
import { TurnContext, type Tool } from "../Tool.ts"
import { asRefusal, granted, numberField, numberOf, repositoryField } from "./Granted.ts"

const body = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(60_000))
const ofNumber = (number: number | undefined) => (number === undefined ? "" : `#${number}: `)

export const githubCommentTool = (github: Github["Service"]): Tool =>
  schemaTool({
    name: "github_comment",
    description:
      "Comments on another issue or pull request. Your answer is posted in this room by itself: do not use this for it.",
    input: Schema.Struct({ repository: repositoryField, number: numberField, body }),
    idempotent: true,
    parallel: false,
    summary: (input) => `${ofNumber(input.number)}${input.body}`,
    run: ({ body: words, ...target }) =>
      Effect.gen(function* () {
        const { grant, turn } = yield* granted(github, "command", target)
        const made = yield* asRefusal(
          comment(grant, yield* numberOf(grant), callKey(turn.turn, turn.n), words),
        )
        return done(`Commented: ${made.url}`)
      }),
  })

export const githubReviewTool = (github: Github["Service"]): Tool =>
  schemaTool({
    name: "github_review",
    description:
      "Reviews a pull request, with comments on lines that its diff shows. Nothing can be approved or merged: people do that.",
    input: Schema.Struct({
      repository: repositoryField,
      number: numberField,
      verdict: Schema.Literals(["comment", "request_changes"]),
      body,
      comments: Schema.optionalKey(
        Schema.Array(
          Schema.Struct({
            path: Schema.String,
            line: Schema.Int.annotate({ description: "In the new file; with side LEFT in the old one." }),
            side: Schema.optionalKey(Schema.Literals(["LEFT", "RIGHT"])),
            body,
          }),
        ),
      ),
    }),
    idempotent: true,
    parallel: false,
    summary: (input) => `${ofNumber(input.number)}${input.verdict}, ${input.comments?.length ?? 0} comments`,
    run: ({ verdict, body: words, comments = [], ...target }) =>
      Effect.gen(function* () {
        const { grant, turn } = yield* granted(github, "command", target)
        const event = verdict === "comment" ? "COMMENT" : "REQUEST_CHANGES"
        const key = callKey(turn.turn, turn.n)
        const made = yield* asRefusal(
          review(grant, yield* numberOf(grant), key, { event, body: words, comments }),
        )
        return done(`Reviewed: ${made.url}`)
      }),
  })

export const githubLabelTool = (github: Github["Service"]): Tool =>
  schemaTool({
    name: "github_label",
    description: "Adds and removes labels of an issue or pull request.",
    input: Schema.Struct({
      repository: repositoryField,
      number: numberField,
      add: Schema.optionalKey(Schema.Array(Schema.String)),
      remove: Schema.optionalKey(Schema.Array(Schema.String)),
    }),
    idempotent: true,
    parallel: false,
    summary: ({ number, add = [], remove = [] }) =>
      `${ofNumber(number)}${[...add.map((l) => `+${l}`), ...remove.map((l) => `-${l}`)].join(" ")}`,
    run: ({ add = [], remove = [], ...target }) =>
      Effect.gen(function* () {
        const { grant } = yield* granted(github, "command", target)
        const { app, repository } = grant
        const work = app.settings.workLabel?.toLowerCase()
        // Nobody gives themselves work.
        if (add.some((l) => l.toLowerCase() === work))
          return yield* new Refusal({ message: `The label "${app.settings.workLabel}" is set by people.` })
        const number = yield* numberOf(grant)
        if (add.length > 0)
          yield* asRefusal(
            app.api.inRepository(
              repository,
              { issues: "write", pull_requests: "write" },
              "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
              { issue_number: number, labels: [...add] },
            ),
          )
        for (const name of remove)
          yield* app.api
            .inRepository(
              repository,
              { issues: "write", pull_requests: "write" },
              "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}",
              { issue_number: number, name },
            )
            .pipe(
              Effect.asVoid,
              // It was not there.
              Effect.catchIf(
                (e) => e.status === 404,
                () => Effect.void,
              ),
              asRefusal,
            )
        return done("Done.")
      }),
  })

export const githubReactTool = (github: Github["Service"]): Tool =>
  schemaTool({
    name: "github_react",
    description: "Reacts to an issue or pull request, or to one of its comments.",
    input: Schema.Struct({
      repository: repositoryField,
      number: numberField,
      comment: Schema.optionalKey(Schema.Int.annotate({ description: "The id of a comment." })),
      content: Schema.Literals(["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]),
    }),
    idempotent: true,
    parallel: false,
    summary: (input) => `${ofNumber(input.number)}${input.content}`,
    run: ({ comment: id, content, ...target }) =>
      Effect.gen(function* () {
        const { grant } = yield* granted(github, "command", target)
        const { app, repository } = grant
        const issues = { issues: "write", pull_requests: "write" } as const
        yield* asRefusal(
          id === undefined
            ? app.api.inRepository(
                repository,
                issues,
                "POST /repos/{owner}/{repo}/issues/{issue_number}/reactions",
                { issue_number: yield* numberOf(grant), content },
              )
            : app.api.inRepository(
                repository,
                issues,
                "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
                { comment_id: id, content },
              ),
        )
        return done("Done.")
      }),
  })

export const githubOpenIssueTool = (github: Github["Service"]): Tool =>
  schemaTool({
    name: "github_open_issue",
    description: "Opens an issue.",
    input: Schema.Struct({
      repository: repositoryField,
      title: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(250)),
      body,
      labels: Schema.optionalKey(Schema.Array(Schema.String)),
    }),
    idempotent: true,
    parallel: false,
    summary: ({ title }) => title,
    run: ({ title, body: words, labels = [], repository }) =>
      Effect.gen(function* () {
        const { grant, turn } = yield* granted(github, "command", { repository })
        const work = grant.app.settings.workLabel?.toLowerCase()
        const given = { title, body: words, labels: labels.filter((l) => l.toLowerCase() !== work) }
        const made = yield* asRefusal(openIssue(grant, callKey(turn.turn, turn.n), given))
        return done(`Opened #${made.id}: ${made.url}`)
      }),
  })

export const githubLinkTool = (github: Github["Service"]): Tool =>
  schemaTool({
    name: "github_link",
    description:
      "Links the person you work for with their GitHub account, so that you can do there what they may do. They have to say it themselves.",
    input: Schema.Struct({
      login: Schema.String.annotate({ description: "The name of their GitHub account." }),
    }),
    idempotent: true,
    parallel: false,
    summary: ({ login }) => login,
    run: ({ login }) =>
      Effect.gen(function* () {
        const turn = yield* TurnContext
        const words = yield* asRefusal(github.beginLink(turn, login.replace(/^@/, "")))
        return done(
          `Tell the person: within ten minutes, write this as a comment on any issue that I can see, from the account ${login}:\n${words}`,
        )
      }),
  })
