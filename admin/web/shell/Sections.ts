/** The pages, in the order of the navigation; the palette and the phone's bar are made from the same list. */
import {
  IconActivity,
  IconAffiliate,
  IconBolt,
  IconCoin,
  IconKey,
  IconMessages,
  IconPlug,
  IconSettings,
  IconTerminal2,
  IconUserHexagon,
  IconUsers,
} from "@tabler/icons-react"

export const sections = [
  { to: "/rooms", label: "Rooms", icon: IconMessages, keys: "g r", group: "work" },
  { to: "/agents", label: "Agents", icon: IconUserHexagon, keys: "g a", group: "work" },
  { to: "/activity", label: "Activity", icon: IconActivity, keys: "g v", group: "work" },
  { to: "/money", label: "Money", icon: IconCoin, keys: "g m", group: "work" },
  { to: "/integrations", label: "Integrations", icon: IconPlug, keys: "g i", group: "under" },
  { to: "/sandboxes", label: "Sandboxes", icon: IconTerminal2, keys: "g s", group: "under" },
  { to: "/bus", label: "Bus", icon: IconBolt, keys: "g b", group: "under" },
  { to: "/actors", label: "Actors", icon: IconAffiliate, keys: "g c", group: "under" },
  { to: "/people", label: "People", icon: IconUsers, keys: "g p", group: "house" },
  { to: "/secrets", label: "Secrets", icon: IconKey, keys: "g k", group: "house" },
  { to: "/settings", label: "Settings", icon: IconSettings, keys: "g e", group: "house" },
] as const
export type SectionPath = (typeof sections)[number]["to"]
