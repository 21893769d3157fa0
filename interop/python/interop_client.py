"""A Python client of gRPC's official interoperability cases, on grpcio. Prints TAP, one point a case.

grpcio does not tell whether a message came compressed, and compresses all messages of a call or none; what the
compression cases can ask of a server without that is asked.
"""

import argparse
import sys
import threading
import time

import grpc
import interop_pb2 as messages
import interop_pb2_grpc

CALL_TIMEOUT_S = 20
LARGE_REQUEST_OCTETS = 271828
LARGE_RESPONSE_OCTETS = 314159
INITIAL = ("x-grpc-test-echo-initial", "test_initial_metadata_value")
TRAILING = ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")


def expect(what, got, want):
    if got != want:
        raise AssertionError(f"{what}: got {got!r:.200}, want {want!r:.200}")


def expect_failure(call, code, details=None):
    try:
        result = call()
    except grpc.RpcError as error:
        expect("code", error.code(), code)
        if details is not None:
            expect("details", error.details(), details)
        return
    raise AssertionError(f"got {result!r:.200}, want {code}")


def payload(size):
    return messages.Payload(body=bytes(size))


def large_request(**fields):
    return messages.SimpleRequest(
        response_size=LARGE_RESPONSE_OCTETS, payload=payload(LARGE_REQUEST_OCTETS), **fields
    )


def output_request(sizes, **fields):
    parameters = [messages.ResponseParameters(size=size) for size in sizes]
    return messages.StreamingOutputCallRequest(response_parameters=parameters, **fields)


def flag(value):
    return messages.BoolValue(value=value)


def body_sizes(replies):
    return [len(reply.payload.body) for reply in replies]


class OneByOne:
    """Requests of a call: the next one is given when it is asked for by `send`, until `end`."""

    def __init__(self):
        self.queue = []
        self.condition = threading.Condition()
        self.ended = False

    def send(self, request):
        with self.condition:
            self.queue.append(request)
            self.condition.notify()

    def end(self):
        with self.condition:
            self.ended = True
            self.condition.notify()

    def __iter__(self):
        return self

    def __next__(self):
        with self.condition:
            while not self.queue and not self.ended:
                self.condition.wait()
            if self.queue:
                return self.queue.pop(0)
            raise StopIteration


class Cases:
    def __init__(self, channel):
        self.stub = interop_pb2_grpc.TestServiceStub(channel)
        self.unimplemented = interop_pb2_grpc.UnimplementedServiceStub(channel)

    def empty_unary(self):
        expect("response", self.stub.EmptyCall(messages.Empty(), timeout=CALL_TIMEOUT_S), messages.Empty())

    def large_unary(self):
        reply = self.stub.UnaryCall(large_request(), timeout=CALL_TIMEOUT_S)
        expect("size", len(reply.payload.body), LARGE_RESPONSE_OCTETS)

    def client_compressed_unary(self):
        probe = large_request(expect_compressed=flag(True))
        expect_failure(lambda: self.stub.UnaryCall(probe, timeout=CALL_TIMEOUT_S), grpc.StatusCode.INVALID_ARGUMENT)
        for compressed in (True, False):
            compression = grpc.Compression.Gzip if compressed else grpc.Compression.NoCompression
            request = large_request(expect_compressed=flag(compressed))
            reply = self.stub.UnaryCall(request, compression=compression, timeout=CALL_TIMEOUT_S)
            expect("size", len(reply.payload.body), LARGE_RESPONSE_OCTETS)

    def server_compressed_unary(self):
        for compressed in (True, False):
            request = large_request(response_compressed=flag(compressed))
            reply = self.stub.UnaryCall(request, timeout=CALL_TIMEOUT_S)
            expect("size", len(reply.payload.body), LARGE_RESPONSE_OCTETS)

    def client_streaming(self):
        requests = (messages.StreamingInputCallRequest(payload=payload(size)) for size in (27182, 8, 1828, 45904))
        reply = self.stub.StreamingInputCall(requests, timeout=CALL_TIMEOUT_S)
        expect("sum", reply.aggregated_payload_size, 74922)

    def client_compressed_streaming(self):
        def requests(compressed):
            for size in (27182, 45904):
                yield messages.StreamingInputCallRequest(payload=payload(size), expect_compressed=flag(compressed))

        expect_failure(
            lambda: self.stub.StreamingInputCall(requests(True), timeout=CALL_TIMEOUT_S),
            grpc.StatusCode.INVALID_ARGUMENT,
        )
        for compressed in (True, False):
            compression = grpc.Compression.Gzip if compressed else grpc.Compression.NoCompression
            reply = self.stub.StreamingInputCall(
                requests(compressed), compression=compression, timeout=CALL_TIMEOUT_S
            )
            expect("sum", reply.aggregated_payload_size, 73086)

    def server_streaming(self):
        sizes = [31415, 9, 2653, 58979]
        replies = self.stub.StreamingOutputCall(output_request(sizes), timeout=CALL_TIMEOUT_S)
        expect("sizes", body_sizes(replies), sizes)

    def server_compressed_streaming(self):
        parameters = [
            messages.ResponseParameters(size=31415, compressed=flag(True)),
            messages.ResponseParameters(size=92653, compressed=flag(False)),
        ]
        request = messages.StreamingOutputCallRequest(response_parameters=parameters)
        replies = self.stub.StreamingOutputCall(request, timeout=CALL_TIMEOUT_S)
        expect("sizes", body_sizes(replies), [31415, 92653])

    def ping_pong(self):
        requests = OneByOne()
        replies = self.stub.FullDuplexCall(requests, timeout=CALL_TIMEOUT_S)
        for size, request_size in ((31415, 27182), (9, 8), (2653, 1828), (58979, 45904)):
            requests.send(output_request([size], payload=payload(request_size)))
            expect("size", len(next(replies).payload.body), size)
        requests.end()
        expect("rest", body_sizes(replies), [])

    def empty_stream(self):
        expect("responses", list(self.stub.FullDuplexCall(iter(()), timeout=CALL_TIMEOUT_S)), [])

    def custom_metadata(self):
        metadata = (INITIAL, TRAILING)
        _, unary = self.stub.UnaryCall.with_call(large_request(), metadata=metadata, timeout=CALL_TIMEOUT_S)
        request = output_request([LARGE_RESPONSE_OCTETS], payload=payload(LARGE_REQUEST_OCTETS))
        stream = self.stub.FullDuplexCall(iter((request,)), metadata=metadata, timeout=CALL_TIMEOUT_S)
        expect("sizes", body_sizes(stream), [LARGE_RESPONSE_OCTETS])
        for call in (unary, stream):
            expect("header", INITIAL in call.initial_metadata(), True)
            expect("trailer", TRAILING in call.trailing_metadata(), True)

    def status_code_and_message(self):
        status = messages.EchoStatus(code=2, message="test status message")
        unary = messages.SimpleRequest(response_status=status)
        stream = messages.StreamingOutputCallRequest(response_status=status)
        for call in (
            lambda: self.stub.UnaryCall(unary, timeout=CALL_TIMEOUT_S),
            lambda: list(self.stub.FullDuplexCall(iter((stream,)), timeout=CALL_TIMEOUT_S)),
        ):
            expect_failure(call, grpc.StatusCode.UNKNOWN, status.message)

    def special_status_message(self):
        message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
        request = messages.SimpleRequest(response_status=messages.EchoStatus(code=2, message=message))
        expect_failure(
            lambda: self.stub.UnaryCall(request, timeout=CALL_TIMEOUT_S), grpc.StatusCode.UNKNOWN, message
        )

    def unimplemented_method(self):
        expect_failure(
            lambda: self.stub.UnimplementedCall(messages.Empty(), timeout=CALL_TIMEOUT_S),
            grpc.StatusCode.UNIMPLEMENTED,
        )

    def unimplemented_service(self):
        expect_failure(
            lambda: self.unimplemented.UnimplementedCall(messages.Empty(), timeout=CALL_TIMEOUT_S),
            grpc.StatusCode.UNIMPLEMENTED,
        )

    def cancel_after_begin(self):
        requests = OneByOne()
        call = self.stub.StreamingInputCall.future(requests, timeout=CALL_TIMEOUT_S)
        call.cancel()
        requests.end()
        expect("code", call.code(), grpc.StatusCode.CANCELLED)

    def cancel_after_first_response(self):
        requests = OneByOne()
        call = self.stub.FullDuplexCall(requests, timeout=CALL_TIMEOUT_S)
        requests.send(output_request([31415], payload=payload(27182)))
        expect("size", len(next(call).payload.body), 31415)
        call.cancel()
        expect_failure(lambda: next(call), grpc.StatusCode.CANCELLED)
        requests.end()

    def timeout_on_sleeping_server(self):
        requests = OneByOne()
        call = self.stub.FullDuplexCall(requests, timeout=0.001)
        requests.send(messages.StreamingOutputCallRequest(payload=payload(27182)))
        time.sleep(0.001)
        expect_failure(lambda: next(call), grpc.StatusCode.DEADLINE_EXCEEDED)
        requests.end()


NAMES = [name for name in vars(Cases) if not name.startswith("_")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--tls-ca")
    arguments = parser.parse_args()

    if arguments.tls_ca:
        with open(arguments.tls_ca, "rb") as file:
            channel = grpc.secure_channel(arguments.address, grpc.ssl_channel_credentials(file.read()))
    else:
        channel = grpc.insecure_channel(arguments.address)
    cases = Cases(channel)
    print(f"TAP version 14\n1..{len(NAMES)}", flush=True)
    failed = 0
    for number, name in enumerate(NAMES, start=1):
        try:
            getattr(cases, name)()
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
