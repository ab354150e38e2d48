/** The page: theme, data, routes. */
import "@mantine/core/styles/default-css-variables.css"
import "@mantine/core/styles.css"
import "./styles/tokens.css"
import "./styles/base.css"
import "./styles/ui.css"
import "./styles/shell.css"
import "./styles/room.css"
import { MantineProvider } from "@mantine/core"
import { QueryClientProvider } from "@tanstack/react-query"
import { RouterProvider } from "@tanstack/react-router"
import { createRoot } from "react-dom/client"
import { queries } from "./data/Queries.ts"
import { router } from "./Router.tsx"
import { scheme } from "./shell/Scheme.ts"
import { theme } from "./shell/Theme.ts"
import { Toasts } from "./ui/Toasts.tsx"

createRoot(document.getElementById("root")!).render(
  // Every colour is in a file of ours: the content policy allows no style that a script makes.
  <MantineProvider
    theme={theme}
    colorSchemeManager={scheme}
    defaultColorScheme="auto"
    withCssVariables={false}
    withGlobalClasses={false}
  >
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
    <Toasts />
  </MantineProvider>,
)
