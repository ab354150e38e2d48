import * as Layer from "effect/Layer"
import { layerTest } from "../../runtime/store/testing.ts"
import { layerPostgres } from "./PostgresSessions.ts"
import { suite } from "./SessionStoreSuite.ts"

suite("Postgres", layerPostgres.pipe(Layer.provide(layerTest)))
