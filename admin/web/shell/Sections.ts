/** The pages, in the order of the navigation; the palette and the phone's bar are made from the same list. */
import { IconMessages, IconSettings, IconUserHexagon } from "@tabler/icons-react"

export const sections = [
  { to: "/rooms", label: "Rooms", icon: IconMessages, keys: "g r", group: "work" },
  { to: "/agents", label: "Agents", icon: IconUserHexagon, keys: "g a", group: "work" },
  { to: "/settings", label: "Settings", icon: IconSettings, keys: "g e", group: "house" },
] as const
export type SectionPath = (typeof sections)[number]["to"]
