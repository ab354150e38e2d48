/** The whole public client against this server. */
import { sdkSuite } from "../../../integrations/sprites/SdkSuite.ts"
import { serve } from "./testing/TestSprites.ts"

sdkSuite("local Sprites server", async () => {
  const { url, token, stop } = await serve()
  return { baseUrl: url, token, close: stop }
})
