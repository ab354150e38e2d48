/**
 * The HTTP API, schema first: the server's handlers, the command line's client, the page's typed calls and
 * `/api/openapi.json` all come from here. Unknown keys are refused.
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as OpenApi from "effect/http-api/OpenApi"
import { AgentsApi } from "./AgentsApi.ts"
import { Guard } from "./Guard.ts"
import { PairingsApi } from "./PairingsApi.ts"
import { InsightApi } from "./InsightApi.ts"
import { PeopleApi } from "./PeopleApi.ts"
import { RoomsApi } from "./RoomsApi.ts"
import { SystemApi } from "./SystemApi.ts"

export class Api extends HttpApi.make("troupe")
  .add(RoomsApi)
  .add(AgentsApi)
  .add(InsightApi)
  .add(PeopleApi)
  .add(PairingsApi)
  .add(SystemApi)
  .middleware(Guard)
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error" })
  .annotateMerge(
    OpenApi.annotations({
      title: "Troupe",
      version: "1",
      description: "Rooms, agents and everything behind them. Send JSON; errors are one sentence in `error`.",
    }),
  ) {}
