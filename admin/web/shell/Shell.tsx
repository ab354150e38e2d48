/** The frame of the page: navigation, who is signed in, the state of the line; the phone has a bar below instead. */
import { ActionIcon, Drawer, Menu, useMantineColorScheme } from "@mantine/core"
import { IconDeviceDesktop, IconDots, IconLogout, IconMoon, IconSearch, IconSun } from "@tabler/icons-react"
import { useQuery } from "@tanstack/react-query"
import { Link, Outlet, useRouterState } from "@tanstack/react-router"
import { useEffect, useState } from "react"
import { call, session } from "../data/Client.ts"
import { line } from "../data/Line.ts"
import { agentsQuery, meQuery, queries, statusQuery, waitingQuery } from "../data/Queries.ts"
import { Avatar } from "../ui/Avatar.tsx"
import { complain } from "../ui/Toasts.tsx"
import { Locked } from "./Locked.tsx"
import { Palette, palette } from "./Palette.tsx"
import { sections } from "./Sections.ts"
import { useKeys } from "./Keys.ts"

session.ended = () => void queries.setQueryData(["locked"], true)

export const Shell = () => {
  const me = useQuery(meQuery)
  const locked =
    useQuery({ queryKey: ["locked"], queryFn: () => false, staleTime: Number.POSITIVE_INFINITY }).data ===
    true
  const known = me.data !== undefined
  useEffect(() => {
    if (known) line.start()
  }, [known])
  if (me.data === undefined)
    return me.isError || locked ? <Locked /> : <div className="shell" aria-busy="true" />
  return <Frame locked={locked} />
}

const Frame = ({ locked }: { readonly locked: boolean }) => {
  useKeys()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const asks = useQuery(waitingQuery).data?.length ?? 0
  return (
    <div className={/^\/rooms\/./.test(path) ? "shell in-room" : "shell"}>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <nav className="nav" aria-label="Pages">
        <div className="nav-head">
          <img src="/favicon.svg" alt="" width="26" height="26" />
          <span className="brand">Troupe</span>
        </div>
        <button type="button" className="find" title="Find anything" onClick={() => palette.open()}>
          <IconSearch size={15} />
          <span>Find</span>
          <kbd>{/Mac/.test(navigator.userAgent) ? "⌘K" : "Ctrl K"}</kbd>
        </button>
        {sections.map((section, i) => (
          <NavItem
            key={section.to}
            section={section}
            gap={i > 0 && sections[i - 1]!.group !== section.group}
            asks={asks}
          />
        ))}
        <Foot />
      </nav>
      <div className="stage">
        <Notices locked={locked} />
        <main className="outlet" id="content">
          <Outlet />
        </main>
      </div>
      <PhoneBar asks={asks} />
      <Palette />
    </div>
  )
}

const NavItem = ({
  section,
  gap,
  asks,
}: {
  readonly section: (typeof sections)[number]
  readonly gap: boolean
  readonly asks: number
}) => {
  const { to, label, icon: Icon } = section
  return (
    <>
      {gap ? <div className="nav-gap" /> : null}
      <Link to={to} activeProps={{ "aria-current": "page" }} title={label}>
        <Icon size={18} stroke={1.7} aria-hidden="true" />
        <span>{label}</span>
        {to === "/activity" && asks > 0 ? (
          <b className="count" data-kind="ask" aria-label={`${asks} waiting for you`}>
            {asks}
          </b>
        ) : null}
      </Link>
    </>
  )
}

const Foot = () => {
  const me = useQuery(meQuery).data!
  const status = useQuery(statusQuery).data
  const failed = status?.integrations.filter((i) => i.state === "failed") ?? []
  return (
    <div className="nav-foot">
      {failed.map((i) => (
        <Link key={i.name} to="/integrations" className="nav-failed" title={i.detail ?? undefined}>
          <span>{i.name} failed</span>
        </Link>
      ))}
      <Menu position="top-start" width={230} withinPortal>
        <Menu.Target>
          <button type="button" className="who" title="Theme, and leaving this session">
            <Avatar id={me.id} name={me.name} size="small" />
            <span>
              {me.name}
              <small>{me.role}</small>
            </span>
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <SchemeItems />
          <Menu.Divider />
          <Menu.Item leftSection={<IconLogout size={16} />} onClick={leave}>
            Leave this session
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </div>
  )
}

const leave = () => void call("POST /api/leave").then(() => location.assign("/"), complain)

const schemes = [
  { value: "light", label: "Light", icon: IconSun },
  { value: "dark", label: "Dark", icon: IconMoon },
  { value: "auto", label: "As the system is", icon: IconDeviceDesktop },
] as const

const SchemeItems = () => {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <>
      <Menu.Label>Theme</Menu.Label>
      {schemes.map(({ value, label, icon: Icon }) => (
        <Menu.Item
          key={value}
          leftSection={<Icon size={16} />}
          rightSection={colorScheme === value ? "✓" : null}
          onClick={() => setColorScheme(value)}
        >
          {label}
        </Menu.Item>
      ))}
    </>
  )
}

/** What everybody on the page should know: the session, the line, the rehearsal. */
const Notices = ({ locked }: { readonly locked: boolean }) => {
  const status = useQuery(statusQuery).data
  if (locked)
    return (
      <p className="banner alert" id="banner" role="status">
        Your session ended. Run <code>npx troupe link</code> where Troupe runs, and open the link.
      </p>
    )
  return status?.rehearsal === true ? (
    <p className="banner" id="banner">
      <b>Rehearsal.</b> No model key is set, so answers follow simple rules.{" "}
      <span className="banner-more">
        Set <code>ANTHROPIC_API_KEY</code> and start again for the real thing.
      </span>
    </p>
  ) : null
}

const onPhone: ReadonlyArray<string> = ["/rooms", "/agents", "/activity", "/money"]

const PhoneBar = ({ asks }: { readonly asks: number }) => {
  const [more, setMore] = useState(false)
  const agents = useQuery(agentsQuery).data?.filter((a) => a.state === "working").length ?? 0
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <nav className="bar-phone" aria-label="Pages">
      {sections
        .filter(({ to }) => onPhone.includes(to))
        .map(({ to, label, icon: Icon }) => (
          <Link key={to} to={to} activeProps={{ "aria-current": "page" }}>
            <Icon size={21} stroke={1.7} aria-hidden="true" />
            {label}
            {to === "/activity" && asks > 0 ? (
              <b className="count" data-kind="ask">
                {asks}
              </b>
            ) : null}
            {to === "/agents" && agents > 0 ? <b className="count">{agents}</b> : null}
          </Link>
        ))}
      <button type="button" onClick={() => setMore(true)}>
        <IconDots size={21} stroke={1.7} aria-hidden="true" />
        More
      </button>
      <Drawer
        opened={more}
        onClose={() => setMore(false)}
        position="bottom"
        title="More"
        size="auto"
        radius="lg"
      >
        <div className="more-menu">
          {sections
            .filter(({ to }) => !onPhone.includes(to))
            .map(({ to, label, icon: Icon }) => (
              <Link key={to} to={to} onClick={() => setMore(false)}>
                <Icon size={20} stroke={1.7} aria-hidden="true" />
                {label}
              </Link>
            ))}
        </div>
        <ActionIcon.Group mt="sm">
          {schemes.map(({ value, label, icon: Icon }) => (
            <ActionIcon
              key={value}
              variant={colorScheme === value ? "light" : "default"}
              size="lg"
              aria-label={`Theme: ${label}`}
              onClick={() => setColorScheme(value)}
            >
              <Icon size={18} />
            </ActionIcon>
          ))}
        </ActionIcon.Group>
      </Drawer>
    </nav>
  )
}
