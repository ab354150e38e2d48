/** The keyboard, everywhere: mod-K finds anything, `g` and a letter goes to a page, `/` to the composer. */
import { useNavigate } from "@tanstack/react-router"
import { useEffect } from "react"
import { palette } from "./Palette.tsx"
import { sections } from "./Sections.ts"

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

export const useKeys = () => {
  const navigate = useNavigate()
  useEffect(() => {
    let going = Number.NEGATIVE_INFINITY
    const pressed = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault()
        palette.open()
        return
      }
      if (typing(event.target) || event.metaKey || event.ctrlKey || event.altKey) return
      if (event.timeStamp - going < 1000) {
        going = Number.NEGATIVE_INFINITY
        const section = sections.find(({ keys }) => keys === `g ${event.key}`)
        if (section !== undefined) void navigate({ to: section.to })
        return
      }
      if (event.key === "g") going = event.timeStamp
      if (event.key === "/") {
        event.preventDefault()
        document.getElementById("words")?.focus()
      }
    }
    document.addEventListener("keydown", pressed)
    return () => document.removeEventListener("keydown", pressed)
  }, [navigate])
}
