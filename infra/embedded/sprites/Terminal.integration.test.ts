/** What full-screen programs ask of a terminal: its size, every key as it is typed, the other screen, and its changes. */
import type { Sprite } from "@fly/sprites"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { listen, opened, serve, type TestServer } from "./testing/TestSprites.ts"

/** An editor's skeleton: raw keys, the alternate screen, a redraw for each new size. */
const program = String.raw`
  use POSIX; $| = 1;
  my $tty = POSIX::Termios->new; $tty->getattr(0);
  my $saved = $tty->getlflag; my $input = $tty->getiflag;
  $tty->setlflag($saved & ~(ECHO | ICANON | ISIG | IEXTEN)); $tty->setiflag($input & ~(ICRNL | IXON));
  $tty->setattr(0, TCSANOW);
  sub draw { my ($size) = map { chomp; $_ } qx(stty size); print "\e[H\e[2J[$size]" }
  $SIG{WINCH} = sub { draw() };
  print "\e[?1049h"; draw();
  while (1) {
    my $read = sysread(STDIN, my $key, 1);
    next if !defined $read;
    last if $read == 0 || $key eq "q";
    printf "key<%02x>", ord $key;
  }
  print "\e[?1049l"; $tty->setlflag($saved); $tty->setiflag($input); $tty->setattr(0, TCSANOW);
  print "
left
";`

describe("A terminal on the local server", () => {
  let server: TestServer
  let sprite: Sprite
  beforeAll(async () => {
    server = await serve()
    sprite = await server.client.createSprite("terminal")
    await sprite.filesystem("/home/sprite").writeFile("editor", program)
  })
  afterAll(() => server.stop())

  const open = async (rows: number, cols: number) => {
    const session = sprite.createSession("bash", ["--norc", "-i"], { rows, cols })
    const heard = listen(session)
    await opened(session)
    session.stdin.write("bind 'set enable-bracketed-paste off'; PS1='ready''> '\n")
    await heard.says("ready> ")
    return { session, heard, type: (keys: string) => session.stdin.write(keys) }
  }

  it("shows a full-screen program, gives it each key as it is typed and each new size", async () => {
    const { session, heard, type } = await open(30, 100)
    type("perl editor\n")
    await heard.says("\u001b[?1049h\u001b[H\u001b[2J[30 100]")
    type("x")
    await heard.says("key<78>")
    // Keys that a terminal in line mode would keep, change or act on: Ctrl-C, Ctrl-D, Ctrl-Z, Ctrl-S, Enter, an arrow, é.
    type("\u0003\u0004\u001a\u0013\r\u001b[Aé")
    const keys = ["03", "04", "1a", "13", "0d", "1b", "5b", "41", "c3", "a9"]
    await heard.says(keys.map((key) => `key<${key}>`).join(""))
    session.resize(132, 43)
    await heard.says("\u001b[H\u001b[2J[43 132]")
    session.resize(20, 5)
    await heard.says("\u001b[H\u001b[2J[5 20]")
    type("q")
    await heard.says("\u001b[?1049l\r\nleft\r\n")
    type("exit 3\n")
    await session.wait()
    expect(heard.messages.at(-1)).toEqual({ type: "exit", exit_code: 3 })
  })

  it("has job control: Ctrl-C interrupts, Ctrl-Z stops, and fg goes on", async () => {
    const { session, heard, type } = await open(24, 80)
    type("sh -c 'echo run''ning; exec sleep 1000'\n")
    await heard.says("running")
    type("\u0003")
    await heard.says("^C")
    type("echo code-$?\n")
    await heard.says("code-130")
    type("sh -c 'echo cat''ting; exec cat'\n")
    await heard.says("catting")
    type("\u001a")
    await heard.says("Stopped")
    type("fg\n")
    await heard.says("fg\r\nsh -c")
    type("typed\n")
    await heard.says("typed\r\ntyped\r\n")
    type("\u0004")
    type("tty; echo $TERM; exit\n")
    await heard.says("/dev/pts/0\r\nxterm-256color")
    await session.wait()
  })
})
