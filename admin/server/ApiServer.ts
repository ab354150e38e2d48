/** The API as routes, behind `Guard`, with its description at `/api/openapi.json`. */
import * as Layer from "effect/Layer"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../api/index.ts"
import * as AgentsRoutes from "./AgentsRoutes.ts"
import * as Guarded from "./Guarded.ts"
import * as PairingsRoutes from "./PairingsRoutes.ts"
import * as InsightRoutes from "./InsightRoutes.ts"
import * as PeopleRoutes from "./PeopleRoutes.ts"
import * as RoomsRoutes from "./RoomsRoutes.ts"
import * as SystemRoutes from "./SystemRoutes.ts"

export const layer = HttpApiBuilder.layer(Api, { openapiPath: "/api/openapi.json" }).pipe(
  Layer.provide([
    RoomsRoutes.layer,
    AgentsRoutes.layer,
    PeopleRoutes.layer,
    PairingsRoutes.layer,
    InsightRoutes.layer,
    SystemRoutes.layer,
  ]),
  Layer.provide(Guarded.layer),
)
