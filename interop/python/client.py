"""The Python client of the peers: see interop/README.md for what it checks."""

import argparse
import json
import sys
import threading
import time
from concurrent import futures

import countries_pb2
import countries_pb2_grpc
import grpc
import helloworld_pb2
import helloworld_pb2_grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2
from grpc_status import rpc_status

MAX_MESSAGE_OCTETS = 16 << 20
LARGE_NAME_OCTETS = 8 << 20
CALL_TIMEOUT_S = 20
DEADLINE_S = 0.2
NOTICED_WITHIN_S = 5
STREAMED_MESSAGES = 1000
SIMULTANEOUS_CALLS = 100

EVERY_OCTET = bytes(range(256))
METADATA = (
    ("glass-initial", "one"),
    ("glass-initial", "two three"),
    ("glass-trailing-bin", EVERY_OCTET),
    ("glass-trailing-bin", b""),
)


def hello(name):
    return helloworld_pb2.HelloRequest(name=name)


def expect(what, got, want):
    if got != want:
        raise AssertionError(f"{what}: got {got!r:.200}, want {want!r:.200}")


def expect_status(error, code, message=None):
    if error.code() != code or message not in (None, error.details()):
        raise AssertionError(f"got {error.code()} {error.details()!r}, want {code} {message!r}")


def failing(call):
    """The error that a call, or reading it to its end, raises."""
    try:
        result = call()
    except grpc.RpcError as error:
        return error
    raise AssertionError(f"got {result!r:.200}, want an error")


def values(metadata, key):
    return [value for name, value in metadata or () if name == key]


def expect_metadata(initial, trailing):
    expect("headers", values(initial, "glass-initial"), ["one", "two three"])
    expect("trailers", values(trailing, "glass-trailing-bin"), [EVERY_OCTET, b""])


def expect_failure(error):
    expect_status(error, grpc.StatusCode.NOT_FOUND, "no such name: Zoë")
    status = rpc_status.from_call(error)
    expect("number of details", len(status.details), 1)
    info = error_details_pb2.ErrorInfo()
    expect("type of the detail", status.details[0].Unpack(info), True)
    want = error_details_pb2.ErrorInfo(reason="UNKNOWN_NAME", domain="grpc-glass.test", metadata={"name": "Zoë"})
    expect("detail", info, want)


def behaving(behavior):
    return (("glass-behavior", behavior),)


class Client:
    def __init__(self, channel, countries, server_resets_at_deadline=False):
        self.channel = channel
        self.greeter = helloworld_pb2_grpc.GreeterStub(channel)
        self.country = countries_pb2_grpc.CountryStub(channel)
        self.countries = countries
        self.server_resets_at_deadline = server_resets_at_deadline

    def unary(self):
        reply = self.greeter.SayHello(hello("Zoë 🦉"), timeout=CALL_TIMEOUT_S)
        expect("message", reply.message, "Hello Zoë 🦉")

    def server_streaming(self):
        messages = [reply.message for reply in self.greeter.SayHellos(hello("Ada"), timeout=CALL_TIMEOUT_S)]
        expect("messages", messages, ["Hello Ada", "Hello again, Ada", "Goodbye Ada"])

    def client_streaming(self):
        names = ["Ada", "", "Grace"]
        reply = self.greeter.GreetAll((hello(name) for name in names), timeout=CALL_TIMEOUT_S)
        expect("message", reply.message, "Hello Ada, , Grace")

    def lock_step(self):
        names = ["Ada", "Grace", "Edith"]
        answered = threading.Semaphore(1)

        def requests():
            for name in names:
                if not answered.acquire(timeout=CALL_TIMEOUT_S):
                    raise TimeoutError("no answer to the name before")
                yield hello(name)

        messages = []
        for reply in self.greeter.Chat(requests(), timeout=CALL_TIMEOUT_S):
            messages.append(reply.message)
            answered.release()
        expect("messages", messages, [f"Hello {name}" for name in names])

    def country_found(self):
        for entry in self.countries:
            want = json_format.ParseDict(entry, countries_pb2.CountryResponse())
            request = countries_pb2.CountryRequest(name=entry["name"].upper())
            expect(entry["name"], self.country.Search(request, timeout=CALL_TIMEOUT_S), want)

    def country_not_found(self):
        request = countries_pb2.CountryRequest(name="Atlantis")
        error = failing(lambda: self.country.Search(request, timeout=CALL_TIMEOUT_S))
        expect_status(error, grpc.StatusCode.NOT_FOUND, "no country is called Atlantis")

    def unary_metadata(self):
        _, call = self.greeter.SayHello.with_call(hello("Ada"), metadata=METADATA, timeout=CALL_TIMEOUT_S)
        expect_metadata(call.initial_metadata(), call.trailing_metadata())

    def stream_metadata(self):
        call = self.greeter.SayHellos(hello("Ada"), metadata=METADATA, timeout=CALL_TIMEOUT_S)
        initial = call.initial_metadata()
        list(call)
        expect_metadata(initial, call.trailing_metadata())

    def error_with_details(self):
        expect_failure(
            failing(lambda: self.greeter.SayHello(hello("Zoë"), metadata=behaving("fail"), timeout=CALL_TIMEOUT_S))
        )

    def error_after_message(self):
        call = self.greeter.SayHellos(hello("Zoë"), metadata=behaving("fail"), timeout=CALL_TIMEOUT_S)
        messages = []

        def read():
            for reply in call:
                messages.append(reply.message)

        error = failing(read)
        expect("messages", messages, ["Hello Zoë"])
        expect_failure(error)

    def calls_over(self):
        reply = self.greeter.SayHello(hello(""), metadata=behaving("count"), timeout=CALL_TIMEOUT_S)
        return int(reply.message)

    def noticed(self, call):
        """Makes a call that hangs and waits until the server has seen its end."""
        before = self.calls_over()
        call()
        start = time.monotonic()
        while (after := self.calls_over()) != before + 1:
            if time.monotonic() - start > NOTICED_WITHIN_S:
                raise AssertionError(f"the server counts {after} calls over, want {before + 1}")
            time.sleep(0.01)

    def deadline_expires(self):
        def call():
            error = failing(lambda: self.greeter.SayHello(hello("Ada"), metadata=behaving("hang"), timeout=DEADLINE_S))
            # A reset of an expired call that arrives before gRPC's own timer fires shows as CANCELLED here: which of
            # two clocks comes first is chance, and says nothing of either side.
            if self.server_resets_at_deadline and error.code() == grpc.StatusCode.CANCELLED:
                expect("reset with CANCEL", "error code 8" in error.details(), True)
            else:
                expect_status(error, grpc.StatusCode.DEADLINE_EXCEEDED)

        self.noticed(call)

    def cancel_unary(self):
        def call():
            pending = self.greeter.SayHello.future(hello("Ada"), metadata=behaving("hang"), timeout=CALL_TIMEOUT_S)
            time.sleep(DEADLINE_S)
            pending.cancel()
            expect("code", pending.code(), grpc.StatusCode.CANCELLED)

        self.noticed(call)

    def cancel_stream(self):
        def call():
            end = threading.Event()

            def requests():
                yield hello("Ada")
                end.wait(CALL_TIMEOUT_S)

            stream = self.greeter.Chat(requests(), metadata=behaving("hang"), timeout=CALL_TIMEOUT_S)
            expect("message", next(stream).message, "Hello Ada")
            stream.cancel()
            expect_status(failing(lambda: next(stream)), grpc.StatusCode.CANCELLED)
            end.set()

        self.noticed(call)

    def large(self):
        name = "x" * LARGE_NAME_OCTETS
        reply = self.greeter.SayHello(hello(name), timeout=CALL_TIMEOUT_S)
        expect("message is the name", reply.message == f"Hello {name}", True)

    def many_messages(self):
        requests = (hello(str(index)) for index in range(STREAMED_MESSAGES))
        messages = [reply.message for reply in self.greeter.Chat(requests, timeout=CALL_TIMEOUT_S)]
        expect("messages", messages, [f"Hello {index}" for index in range(STREAMED_MESSAGES)])

    def at_once(self):
        def call(index):
            return self.greeter.SayHello(hello(str(index)), timeout=CALL_TIMEOUT_S).message

        with futures.ThreadPoolExecutor(max_workers=SIMULTANEOUS_CALLS) as pool:
            messages = list(pool.map(call, range(SIMULTANEOUS_CALLS)))
        expect("messages", messages, [f"Hello {index}" for index in range(SIMULTANEOUS_CALLS)])

    def compressed(self):
        name = "a long name " * 1000
        reply = self.greeter.SayHello(hello(name), compression=grpc.Compression.Gzip, timeout=CALL_TIMEOUT_S)
        expect("message", reply.message, f"Hello {name}")

    def unknown_method(self):
        method = self.channel.unary_unary(
            "/helloworld.Greeter/SayNothing",
            request_serializer=helloworld_pb2.HelloRequest.SerializeToString,
            response_deserializer=helloworld_pb2.HelloReply.FromString,
        )
        error = failing(lambda: method(hello("Ada"), timeout=CALL_TIMEOUT_S))
        expect_status(error, grpc.StatusCode.UNIMPLEMENTED)

    def cases(self):
        return [
            ("unary", self.unary),
            ("server streaming", self.server_streaming),
            ("client streaming", self.client_streaming),
            ("bidirectional streaming in lock step", self.lock_step),
            ("country found", self.country_found),
            ("country not found", self.country_not_found),
            ("metadata on a unary call", self.unary_metadata),
            ("metadata on a streaming call", self.stream_metadata),
            ("error with details", self.error_with_details),
            ("error after a message", self.error_after_message),
            ("deadline expires on both sides", self.deadline_expires),
            ("cancel reaches the server", self.cancel_unary),
            ("cancel of an open stream reaches the server", self.cancel_stream),
            ("8 MiB both ways", self.large),
            ("1000 messages both ways", self.many_messages),
            ("100 calls at once", self.at_once),
            ("gzip both ways", self.compressed),
            ("unknown method", self.unknown_method),
        ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--countries", required=True)
    parser.add_argument("--tls-ca")
    parser.add_argument("--server-resets-at-deadline", action="store_true")
    arguments = parser.parse_args()

    with open(arguments.countries, encoding="utf-8") as file:
        countries = json.load(file)
    options = [("grpc.max_receive_message_length", MAX_MESSAGE_OCTETS)]
    if arguments.tls_ca:
        with open(arguments.tls_ca, "rb") as file:
            credentials = grpc.ssl_channel_credentials(file.read())
        channel = grpc.secure_channel(arguments.address, credentials, options=options)
    else:
        channel = grpc.insecure_channel(arguments.address, options=options)

    cases = Client(channel, countries, arguments.server_resets_at_deadline).cases()
    print(f"TAP version 14\n1..{len(cases)}", flush=True)
    failed = 0
    for number, (name, run) in enumerate(cases, start=1):
        try:
            run()
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:  # whatever it is, it is this case's failure
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            for line in f"{type(error).__name__}: {error}".splitlines():
                print(f"# {line}", flush=True)
    channel.close()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
