"""An outside agent in plain Python: it hears its rooms over NATS, and answers whoever asks it.

    python3 docs/examples/outside_agent.py .troupe/nats/eve.json
"""
import json, socket, sys

me = json.load(open(sys.argv[1]))
host, port = me["url"].removeprefix("nats://").rsplit(":", 1)
wire = socket.create_connection((host, int(port)))
lines = wire.makefile("rb")


def send(line, payload=b""):
    wire.sendall(line.encode() + b"\r\n" + (payload + b"\r\n" if line.startswith("PUB") else b""))


def publish(subject, payload, reply=""):
    send(f"PUB {subject} {reply} {len(payload.encode())}", payload.encode())


send("CONNECT " + json.dumps({"user": me["user"], "pass": me["password"], "verbose": False}))
send(f"SUB {me['inbox_prefix']}.said.* 0")  # answers to what we say
for n, door in enumerate(me["doors"], 1):
    door["next"] = f"$JS.API.CONSUMER.MSG.NEXT.{me['stream']}.{door['durable']}"
    send(f"SUB {me['inbox_prefix']}.heard.{n} {n}")
    publish(door["next"], "1", f"{me['inbox_prefix']}.heard.{n}")

acks = {}  # what was heard and is being answered: acknowledged once the answer is committed
for line in lines:
    op, *words = line.decode().split()
    if op == "PING":
        send("PONG")
    elif op == "-ERR":
        sys.exit(" ".join(words))
    elif op == "MSG":  # MSG <subject> <subscription> [reply] <size>
        subject, n, size = words[0], int(words[1]), int(words[-1])
        body = json.loads(lines.read(size + 2)[:size] or "null")
        if n == 0:
            print(body, flush=True)
            if "event" in body:
                publish(acks.pop(subject.rsplit(".", 1)[1]), "+ACK")
            continue
        if body and me["agent"] in body["slots"]:
            acks[body["id"]] = words[2]
            text = f"You said {len(body['text'].split())} words, {body['author']['name']}."
            say = {"id": body["id"], "text": text, "replyTo": body["id"]}  # the same id: said once
            publish(f"{me['say']}.{body['thread']}", json.dumps(say), f"{me['inbox_prefix']}.said.{body['id']}")
        elif body:
            publish(words[2], "+ACK")
        publish(me["doors"][n - 1]["next"], "1", f"{me['inbox_prefix']}.heard.{n}")
