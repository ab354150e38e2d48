import { connect } from "@nats-io/transport-node"
import { jetstreamManager } from "@nats-io/jetstream"
import { expect, it } from "vitest"
import { postgres } from "../../runtime/store/guard.ts"
import { testDatabase, testNats, testWorkspace } from "./index.ts"

it("gives each test an empty database of its own", async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()])
  const first = postgres(one)
  const second = postgres(two)
  await first`create table only_here (id int)`
  const found = await second`select 1 from pg_tables where tablename = 'only_here'`
  expect(found.length).toBe(0)
  const [version] = await first`show server_version`
  expect(version?.["server_version"]).toMatch(/^18\./)
  await Promise.all([first.end(), second.end()])
})

it("gives a nats-server with JetStream", async () => {
  const { url, user, password } = testNats()
  const connection = await connect({ servers: url, user, pass: password })
  const manager = await jetstreamManager(connection)
  const workspace = testWorkspace()
  const info = await manager.streams.add({ name: `T_${workspace}`, subjects: [`troupe.${workspace}.>`] })
  expect(info.config.name).toBe(`T_${workspace}`)
  await manager.streams.delete(info.config.name)
  await connection.close()
})
