/**
 * Secrets, write-only: which there are, their last four characters, when they changed. Those of integrations come from troupe.yaml;
 * those of the company are set here. Sealed for their own row (table, row, column), so that moved text does not open.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { lastFour, Roster, Secrets, Sql } from "../../../runtime/index.ts"
import type { SecretView } from "../../api/index.ts"

const listText = `
select s.owner, coalesce(d.name, 'the company') as "ownerName", s.name, s.last_four as "lastFour",
  to_char(s.changed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "changedAt"
from secret s left join door d on s.owner = 'door:' || d.id
where d.ws = $1 or s.owner = 'company:' || $1 order by 2, 3`

const setText = `
insert into secret (owner, name, sealed, last_four) values ($1, $2, $3::jsonb, $4)
on conflict (owner, name) do update set sealed = excluded.sealed, last_four = excluded.last_four, changed_at = now()`

export const vault = Effect.gen(function* () {
  const sql = yield* Sql
  const secrets = yield* Secrets
  const { ws } = yield* Roster
  const owner = `company:${ws}`
  return {
    list: sql.cold<SecretView>(listText, [ws]),
    set: Effect.fnUntraced(function* (name: string, value: string) {
      const secret = Redacted.make(value)
      const sealed = yield* secrets.seal(
        { table: "secret", row: `${owner}/${name}`, column: "sealed" },
        secret,
      )
      yield* sql.cold(setText, [owner, name, sealed, lastFour(secret)])
      return lastFour(secret)
    }),
    drop: (name: string) =>
      Effect.map(
        sql.cold("delete from secret where owner = $1 and name = $2 returning name", [owner, name]),
        (rows) => rows.length > 0,
      ),
  }
})
