"""Writes the field lists that the encoders of other languages are given (as JSON, to standard output)."""

import json
import random

pick = random.Random(7541)
METHODS = ["/helloworld.Greeter/SayHello", "/routeguide.RouteGuide/GetFeature", "/routeguide.RouteGuide/RouteChat"]


def octets(count):
    return "".join(chr(pick.randrange(256)) for _ in range(count))


def digits(count):
    return "".join(pick.choice("0123456789abcdef") for _ in range(count))


def request(i):
    return [
        [":method", "POST"],
        [":scheme", "http"],
        [":path", pick.choice(METHODS)],
        [":authority", "localhost:50051"],
        ["te", "trailers"],
        ["content-type", "application/grpc"],
        ["user-agent", "grpc-example/1.2.3"],
        ["grpc-timeout", f"{100 + i}m"],
        ["traceparent", f"00-{digits(32)}-{digits(16)}-01"],
        ["authorization", "Bearer 4ZkM0bQ8wN1rT6yUe3XpLs7VhJ2cGd5F"],
    ]


def response(i):
    if i % 2 == 0:
        return [[":status", "200"], ["content-type", "application/grpc"], ["grpc-encoding", "identity"]]
    status = pick.choice(["0", "0", "0", "5", "14"])
    return [["grpc-status", status], ["grpc-message", "" if status == "0" else f"no route to {digits(6)}"]]


def page(i):
    fields = [
        [":method", pick.choice(["GET", "GET", "HEAD", "PUT"])],
        [":scheme", "https"],
        [":path", pick.choice(["/", "/index.html", f"/item/{pick.randrange(1000)}", "/a/b?c=d&e=%20"])],
        [":authority", pick.choice(["www.example.com", "example.org:8443"])],
        ["accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"],
        ["accept-encoding", "gzip, deflate"],
        ["user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)"],
    ]
    for name in ["session", "theme", "cart"]:
        if pick.randrange(2):
            fields.append(["cookie", f"{name}={digits(pick.choice([8, 24, 80]))}"])
    return fields


def hard(i):
    fields = [["x-empty", ""], ["x-octets", octets(pick.randrange(60))]]
    fields.append([f"x-{pick.randrange(30)}", digits(pick.randrange(200))])
    if i in (3, 17):
        fields.append(["x-larger-than-the-table", digits(4100)])
    return fields


def story(name, count, make, sizes=None):
    blocks = []
    for i in range(count):
        block = {"fields": make(i)}
        if sizes and i in sizes:
            block["tableSizes"] = sizes[i]
        never = [at for at, field in enumerate(block["fields"]) if field[0] in ("authorization", "cookie")]
        if never:
            block["never"] = never
        blocks.append(block)
    return {"name": name, "blocks": blocks}


resizes = {3: [0], 5: [4096], 9: [100], 12: [0, 4096], 15: [64, 200, 1000], 20: [4096], 25: [0, 60]}
stories = [
    story("gRPC requests", 20, request),
    story("gRPC responses and trailers", 20, response),
    story("pages and cookies", 24, page),
    story("table sizes that change", 30, request, resizes),
    story("any octets, and entries larger than the table", 24, hard, {10: [300], 18: [4096]}),
]
print(json.dumps(stories))
