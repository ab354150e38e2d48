/** The page: one entry, a chunk for each page that is not rooms, everything under `/page/` with its hash in the name. */
import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    assetsDir: "page/assets",
    // The content policy allows no data: scripts or fonts; everything is a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    chunkSizeWarningLimit: 900,
  },
})
