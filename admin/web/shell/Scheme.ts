/** Light, dark or as the system is; `public/page/theme.js` reads the same key before the first paint. */
import type { MantineColorScheme, MantineColorSchemeManager } from "@mantine/core"

const key = "theme"

export const scheme: MantineColorSchemeManager = {
  get: (fallback) => (localStorage.getItem(key) as MantineColorScheme | null) ?? fallback,
  set: (value) => localStorage.setItem(key, value),
  subscribe: (onUpdate) => {
    window.addEventListener("storage", (event) => {
      if (event.key === key && event.newValue !== null) onUpdate(event.newValue as MantineColorScheme)
    })
  },
  unsubscribe: () => {},
  clear: () => localStorage.removeItem(key),
}
