/** There is no Docker engine where the tests run: the files are parsed, and every name in them is held against the code. */
import * as Result from "effect/Result"
import { parse as parseToml } from "smol-toml"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { parse as parseYaml } from "yaml"
import { peersFor, refusePeer } from "../../admin/server/Peers.ts"
import { NatsPermissions } from "../../runtime/index.ts"
import { bubblewrap, natsServer } from "../embedded/index.ts"
import { account, atLeast } from "../embedded/NatsConfig.ts"
import { dockerfile, imageEnvironment, root } from "./Dockerfile.ts"

const read = (path: string) => readFileSync(join(root, path), "utf8")

interface Service {
  readonly image: string
  readonly build?: string
  readonly user?: string
  readonly command?: ReadonlyArray<string>
  readonly read_only?: boolean
  readonly cap_drop?: ReadonlyArray<string>
  readonly security_opt?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
  readonly secrets?: ReadonlyArray<string | { readonly source: string; readonly target: string }>
  readonly configs?: ReadonlyArray<{ readonly source: string; readonly target: string }>
  readonly volumes?: ReadonlyArray<string>
  readonly tmpfs?: ReadonlyArray<string>
  readonly ports?: ReadonlyArray<string>
  readonly networks?: ReadonlyArray<string>
  readonly profiles?: ReadonlyArray<string>
  readonly healthcheck?: { readonly test: ReadonlyArray<string> }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly deploy?: { readonly resources: { readonly limits: Readonly<Record<string, string | number>> } }
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<
    Record<
      string,
      {
        readonly internal?: boolean
        readonly ipam?: { readonly config: ReadonlyArray<{ readonly subnet: string }> }
      }
    >
  >
  readonly volumes: object
  readonly configs: Readonly<Record<string, { readonly file: string }>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

const compose = parseYaml(read("docker-compose.yml"), { merge: true }) as Compose
const services = Object.entries(compose.services)
const troupe = compose.services["troupe"]!
const files = dockerfile(read("Dockerfile"))
/** The last stage that is built on: what runs. */
const runtime = files.stages.find((stage) => stage.name === "runtime")!

/** Every variable that Settings reads. */
const settings = read("runtime/config/Settings.ts")
const variables = new Map(
  [...settings.matchAll(/(read|optional|secret)\("([A-Z_]+)"/g)].map(([, how, name]) => [name!, how!]),
)
const isVariable = (name: string): boolean =>
  variables.has(name) || variables.get(name.replace(/_FILE$/, "")) === "secret"

describe("the image", () => {
  it("runs on the Node that the package names, and the NATS that the facts ask for", () => {
    const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> }
    expect(files.args["NODE"]).toBe(dependencies["node"])
    expect(runtime.from).toBe("node:${NODE}-trixie-slim")
    expect(atLeast(files.args["NATS"]!, [2, 12])).toBe(true)
    expect(files.stages.every((s) => !/:latest|^[^:]+$/.test(s.from) || files.names.has(s.from))).toBe(true)
  })

  it("brings every program that the code looks for", () => {
    const installed = /apt-get install -y --no-install-recommends ([\w\s-]+?) \\/.exec(runtime.text)?.[1]
    const packages = installed?.split(" ") ?? []
    expect(packages).toContain(bubblewrap.packages.debian)
    // What integrations/github/Git.ts starts.
    expect(read("integrations/github/Git.ts")).toContain('spawn("git"')
    expect(packages).toContain("git")
    expect(runtime.text).toContain(`/usr/local/bin/${natsServer.program}`)
    for (const program of packages) if (program === "tini") expect(runtime.text).toContain('"tini", "--"')
  })

  it("runs as a user of its own, whose directory is the volume", () => {
    expect(runtime.text).toMatch(/^USER troupe$/m)
    expect(runtime.text).toMatch(/useradd .*--uid 10001 .*--home-dir \/var\/lib\/troupe .* troupe/)
    expect(runtime.text).toContain("install -d -o troupe -g troupe -m 0700 /var/lib/troupe")
    const { TROUPE_HOME } = imageEnvironment(runtime)
    expect(TROUPE_HOME).toBe("/var/lib/troupe")
    expect(runtime.text).toMatch(/^VOLUME \/var\/lib\/troupe$/m)
    for (const name of Object.keys(imageEnvironment(runtime)))
      expect(isVariable(name) || name === "NODE_ENV", name).toBe(true)
    expect(files.stages.at(-1)).toMatchObject({ from: "runtime" })
  })

  it("names files that are there, and port 4400, where Troupe listens", () => {
    for (const [path] of runtime.text.matchAll(/infra\/[\w/.-]+\w/g))
      expect(existsSync(join(root, path)), path).toBe(true)
    const { PORT } = { PORT: /"PORT".*?(\d+)\)/.exec(settings)?.[1] }
    expect(runtime.text).toMatch(new RegExp(`^EXPOSE ${PORT}$`, "m"))
    expect(read("infra/docker/health.ts")).toContain(`PORT = "${PORT}"`)
    expect(read("infra/docker/health.ts")).toContain("/healthz")
    expect(statSync(join(root, "infra/docker/entrypoint.sh")).mode & 0o111).not.toBe(0)
  })

  it("gets no secret, no state and no tests from the directory it is built in", () => {
    const ignored = read(".dockerignore").split("\n")
    for (const name of ["secrets", "troupe.yaml", ".env", ".troupe", ".git", "node_modules", "**/*.test.ts"])
      expect(ignored).toContain(name)
  })
})

describe("docker-compose.yml", () => {
  it.each(services)("%s is hardened, limited, watched", (_, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"] })
    expect(service.security_opt).toContain("no-new-privileges:true")
    expect(Object.keys(service.deploy!.resources.limits)).toEqual(["cpus", "memory", "pids"])
    const image = service.image === "troupe:local"
    expect(image || service.healthcheck !== undefined).toBe(true)
    expect(image ? service.build : service.image).toMatch(image ? /^\.$/ : /:v?\d+\.\d+/)
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/)
  })

  it("sets variables that Troupe reads, or that troupe.yaml may name", () => {
    const named = [...read("troupe.example.yaml").matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name]) => name!)
    for (const name of Object.keys(troupe.environment!))
      expect(isVariable(name) || named.includes(name.replace(/_FILE$/, "")), name).toBe(true)
  })

  it("hands over every secret by file, and each file is made by secrets.sh", () => {
    const dir = join(mkdtempSync(join(tmpdir(), "troupe-ship-")), "secrets")
    const script = join(root, "infra/docker/secrets.sh")
    const made = spawnSync("sh", [script, dir], { encoding: "utf8" })
    expect([made.status, made.stderr]).toEqual([0, ""])
    expect(Object.values(compose.secrets).map(({ file }) => file)).toEqual(
      Object.keys(compose.secrets).map((name) => `./secrets/${name}`),
    )
    expect(readdirSync(dir).toSorted()).toEqual(Object.keys(compose.secrets).toSorted())
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    const of = (name: string) => readFileSync(join(dir, name), "utf8").trim()
    expect(of("encryption_key")).toMatch(/^[0-9a-f]{64}$/)
    expect(of("database_url")).toBe(`postgres://troupe:${of("postgres_password")}@postgres:5432/troupe`)
    const before = of("encryption_key")
    spawnSync("sh", [script, dir])
    expect(of("encryption_key")).toBe(before)
    for (const [name, service] of services) {
      const given = (service.secrets ?? []).map((s) => (typeof s === "string" ? s : s.source))
      for (const secret of given) expect(compose.secrets, name).toHaveProperty(secret)
      for (const [variable, value] of Object.entries(service.environment ?? {})) {
        expect(value, variable).not.toMatch(/[0-9a-f]{32}/)
        const file = /^\/run\/secrets\/(\w+)$/.exec(value)?.[1]
        if (file !== undefined) expect(given, variable).toContain(file)
      }
    }
  })

  it("mounts files and volumes that are there, where their programs look for them", () => {
    const sources = new Set(services.flatMap(([, s]) => (s.configs ?? []).map((c) => c.source)))
    expect([...sources].toSorted()).toEqual(Object.keys(compose.configs).toSorted())
    for (const { file } of Object.values(compose.configs))
      expect(existsSync(join(root, file)) || file === "./troupe.yaml", file).toBe(true)
    const volumes = services.flatMap(([, s]) => (s.volumes ?? []).map((v) => v.split(":")))
    expect(volumes.map(([name]) => name).toSorted()).toEqual(Object.keys(compose.volumes).toSorted())
    for (const name of ["troupe", "nats"])
      expect(volumes.find(([volume]) => volume === name)?.[1]).toBe("/var/lib/troupe")
    // The official image of Postgres 18 keeps its data one directory below this one.
    expect(volumes.find(([volume]) => volume === "postgres")?.[1]).toBe("/var/lib/postgresql")
    expect(compose.services["postgres"]!.image).toMatch(/^postgres:18\./)
    expect(troupe.configs).toContainEqual({ source: "company", target: "/app/troupe.yaml" })
  })

  it("trusts the network that published ports come from, and hides Postgres and NATS from it", () => {
    const subnet = compose.networks["front"]!.ipam!.config[0]!.subnet
    const peers = Result.getOrThrow(peersFor("0.0.0.0", troupe.environment!["TRUSTED_PROXY"]!))
    expect(refusePeer(peers, subnet.replace(/0\/24$/, "1"))).toBe(false)
    expect(refusePeer(peers, "192.0.2.1")).toBe(true)
    expect(compose.networks["back"]).toEqual({ internal: true })
    for (const name of ["postgres", "nats"]) {
      expect(compose.services[name]!.networks).toEqual(["back"])
      expect(compose.services[name]!.ports).toBeUndefined()
      expect(troupe.depends_on![name]).toEqual({ condition: "service_healthy" })
    }
  })
})

describe("the bus of the compose file", () => {
  it("knows the users that the code describes, and a real nats-server takes its configuration", () => {
    const conf = read("infra/docker/nats.conf")
    const users = [
      { user: "runtime", password: "$TROUPE_RUNTIME_PASSWORD" },
      { user: "inspector", password: "$TROUPE_INSPECTOR_PASSWORD", may: NatsPermissions.inspector },
    ]
    expect(conf).toContain(account(users))
    const dir = mkdtempSync(join(tmpdir(), "troupe-nats-"))
    spawnSync("sh", [join(root, "infra/docker/secrets.sh"), dir])
    writeFileSync(join(dir, "nats.conf"), conf)
    writeFileSync(join(dir, "passwords.conf"), readFileSync(join(dir, "nats_passwords")))
    const { PATH = "" } = process.env
    const tried = spawnSync("nats-server", ["-t", "-c", join(dir, "nats.conf")], {
      encoding: "utf8",
      env: { PATH: `${PATH}:/usr/sbin` },
    })
    expect(`${tried.stdout}${tried.stderr}`).toContain("is valid")
    const password = /RUNTIME_PASSWORD: "(\w+)"/.exec(readFileSync(join(dir, "nats_passwords"), "utf8"))![1]
    expect(readFileSync(join(dir, "nats_url"), "utf8")).toBe(`nats://runtime:${password}@nats:4222\n`)
    const { environment } = compose.services["nats"]!
    expect(conf).toContain(`http: 127.0.0.1:${environment!["PORT"]}`)
  })
})

describe("observability", () => {
  const shown = new Set([...read("infra/Metrics.ts").matchAll(/"(troupe_\w+)"/g)].map(([, name]) => name!))
  const used = (path: string) => [...read(path).matchAll(/\btroupe_\w+/g)].map(([name]) => name)

  it("draws and watches metrics that there are", () => {
    for (const path of ["infra/docker/alerts.yml", "infra/docker/grafana/troupe.json"]) {
      expect(used(path).length).toBeGreaterThan(5)
      expect(used(path).filter((name) => !shown.has(name))).toEqual([])
    }
  })

  it("is set up with files that parse and name each other", () => {
    const prometheus = parseYaml(read("infra/docker/prometheus.yml")) as {
      scrape_configs: ReadonlyArray<{
        static_configs: ReadonlyArray<{ targets: ReadonlyArray<string> }>
        authorization: { credentials_file: string }
      }>
      rule_files: ReadonlyArray<string>
    }
    const [job] = prometheus.scrape_configs
    expect(job!.static_configs[0]!.targets).toEqual(["troupe:4400"])
    expect(job!.authorization.credentials_file).toBe("/run/secrets/metrics_token")
    const targets = (name: string) => compose.services[name]!.configs!.map((c) => c.target)
    expect(targets("prometheus")).toEqual(["/etc/prometheus/prometheus.yml", "/etc/prometheus/alerts.yml"])
    expect(prometheus.rule_files).toEqual(["alerts.yml"])
    const rules = parseYaml(read("infra/docker/alerts.yml")) as {
      groups: ReadonlyArray<{ rules: ReadonlyArray<object> }>
    }
    for (const rule of rules.groups[0]!.rules)
      expect(Object.keys(rule)).toEqual(expect.arrayContaining(["alert", "expr", "labels", "annotations"]))
    const dashboards = parseYaml(read("infra/docker/grafana/dashboards.yml")) as {
      providers: ReadonlyArray<{ options: { path: string } }>
    }
    expect(targets("grafana")).toContain(`${dashboards.providers[0]!.options.path}/troupe.json`)
    const sources = parseYaml(read("infra/docker/grafana/datasources.yml")) as {
      datasources: ReadonlyArray<{ uid: string; url: string }>
    }
    expect(sources.datasources[0]).toMatchObject({ uid: "prometheus", url: "http://prometheus:9090" })
    const panels = JSON.parse(read("infra/docker/grafana/troupe.json")) as {
      panels: ReadonlyArray<{ datasource: { uid: string } }>
    }
    expect(new Set(panels.panels.map((p) => p.datasource.uid))).toEqual(new Set(["prometheus"]))
  })
})

describe("local sandboxes in a container", () => {
  it("refuse in the container what their own filter refuses, but for what bubblewrap needs", () => {
    const profile = JSON.parse(read("infra/docker/seccomp.json")) as {
      defaultAction: string
      syscalls: ReadonlyArray<{ names: ReadonlyArray<string>; action: string }>
    }
    const refused = new Set(profile.syscalls.flatMap((rule) => rule.names))
    const comment = /In both lists: ([^;]+);/.exec(read("infra/embedded/sprites/Filter.ts"))![1]!
    const own = comment
      .replaceAll(/\s\*\s/g, " ")
      .split(/[,.]\s+/)
      .map((name) => name.trim())
    const needed = ["mount", "umount2", "pivot_root", "chroot", "setns", "adjtimex"]
    expect(own.length).toBeGreaterThan(20)
    for (const name of own) expect(refused.has(name) || needed.includes(name), name).toBe(true)
    for (const name of ["mount", "umount2", "pivot_root", "setns", "unshare", "clone", "clone3"])
      expect(refused.has(name), name).toBe(false)
  })

  it("change nothing but the container's doors", () => {
    const text = read("infra/docker/sandboxes.yml").replace("!override", "")
    const override = parseYaml(text) as { services: Record<string, Service> }
    expect(override.services).toEqual({
      troupe: {
        security_opt: [
          "no-new-privileges:true",
          "seccomp=./infra/docker/seccomp.json",
          "apparmor=unconfined",
          "systempaths=unconfined",
        ],
      },
    })
  })
})

describe("fly.toml", () => {
  const fly = parseToml(read("fly.toml")) as unknown as {
    app: string
    kill_signal: string
    build: Record<string, string>
    env: Record<string, string>
    mounts: { destination: string }
    http_service: {
      internal_port: number
      auto_stop_machines: string
      checks: ReadonlyArray<{ path: string }>
    }
  }

  it("runs the image on a volume where the image keeps its state", () => {
    expect(fly.build["dockerfile"]).toBe("Dockerfile")
    expect(files.names.has(fly.build["build-target"]!)).toBe(true)
    expect(fly.mounts.destination).toBe(imageEnvironment(runtime)["TROUPE_HOME"])
    expect(runtime.text).toMatch(new RegExp(`^STOPSIGNAL ${fly.kill_signal}$`, "m"))
    expect(fly.http_service.internal_port).toBe(Number(fly.env["PORT"]))
    expect(fly.http_service.checks.map((c) => c.path)).toEqual(["/healthz"])
    expect(fly.http_service.auto_stop_machines).toBe("off")
    for (const name of Object.keys(fly.env)) expect(variables.has(name), name).toBe(true)
    expect(fly.env["PUBLIC_URL"]).toBe(`https://${fly.app}.fly.dev`)
    expect(Result.isSuccess(peersFor(fly.env["HOST"]!, fly.env["TRUSTED_PROXY"]!))).toBe(true)
  })
})

describe("the systemd unit", () => {
  const unit = /```ini\n([^]*?)```/.exec(read("docs/deploy/vps.md"))![1]!

  it("names files and variables that are there, and leaves 78 alone", () => {
    expect(unit).toContain("RestartPreventExitStatus=78")
    const path = /^ExecStart=\S+ (\S+)$/m.exec(unit)![1]!
    expect(existsSync(join(root, path.replace("/opt/troupe/", "")))).toBe(true)
    for (const [, name] of unit.matchAll(/^Environment=([A-Z_]+)=/gm))
      expect(isVariable(name!), name).toBe(true)
  })
})
