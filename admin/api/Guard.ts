/** What stands before every endpoint: the caller's role, and a sentence for a request that is not as described. */
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import { BadRequest, Forbidden } from "./Refusal.ts"

export class Guard extends HttpApiMiddleware.Service<Guard>()("troupe/admin/Guard", {
  error: [BadRequest, Forbidden],
}) {}
