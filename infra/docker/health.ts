/** The image's health check: 0 while the process answers. Whether its integrations are connected is /readyz, which is for people. */
import { get } from "node:http"
import process from "node:process"

const { PORT = "4400" } = process.env
get(`http://127.0.0.1:${PORT}/healthz`, { timeout: 4_000 }, (response) => {
  process.exit(response.statusCode === 200 ? 0 : 1)
})
  .on("timeout", () => process.exit(1))
  .on("error", () => process.exit(1))
