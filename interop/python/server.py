"""The Python server of the peers: see interop/README.md for what it does."""

import argparse
import json
import signal
import threading
from concurrent import futures

import countries_pb2
import countries_pb2_grpc
import grpc
import helloworld_pb2
import helloworld_pb2_grpc
from google.protobuf import any_pb2, json_format
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

MAX_MESSAGE_OCTETS = 16 << 20
COMPRESS_FROM_CHARACTERS = 1000


def echo(context):
    """Sends the metadata back that asks for it; the headers go out with the first message."""
    sent = context.invocation_metadata()
    context.set_trailing_metadata(tuple((key, value) for key, value in sent if key == "glass-trailing-bin"))
    initial = tuple((key, value) for key, value in sent if key == "glass-initial")
    if initial:
        context.send_initial_metadata(initial)


def behavior(context):
    return dict(context.invocation_metadata()).get("glass-behavior")


class Greeter(helloworld_pb2_grpc.GreeterServicer):
    def __init__(self):
        self.over = 0
        self.lock = threading.Lock()

    def begin(self, context):
        """Sends metadata back, and counts the end of a call that will hang: it may come at any moment."""
        echo(context)
        if behavior(context) == "hang":
            context.add_callback(self.count)

    def count(self):
        with self.lock:
            self.over += 1

    def misbehave(self, context, name):
        """Fails or hangs where the metadata asks for it."""
        if behavior(context) == "fail":
            info = error_details_pb2.ErrorInfo(reason="UNKNOWN_NAME", domain="grpc-glass.test", metadata={"name": name})
            detail = any_pb2.Any()
            detail.Pack(info)
            failure = status_pb2.Status(code=code_pb2.NOT_FOUND, message="no such name: Zoë", details=[detail])
            context.abort_with_status(rpc_status.to_status(failure))
        if behavior(context) == "hang":
            done = threading.Event()
            if context.add_callback(done.set):
                done.wait()

    def SayHello(self, request, context):
        self.begin(context)
        if behavior(context) == "count":
            return helloworld_pb2.HelloReply(message=str(self.over))
        self.misbehave(context, request.name)
        if len(request.name) >= COMPRESS_FROM_CHARACTERS:
            context.set_compression(grpc.Compression.Gzip)
        return helloworld_pb2.HelloReply(message=f"Hello {request.name}")

    def SayHellos(self, request, context):
        self.begin(context)
        yield helloworld_pb2.HelloReply(message=f"Hello {request.name}")
        self.misbehave(context, request.name)
        yield helloworld_pb2.HelloReply(message=f"Hello again, {request.name}")
        yield helloworld_pb2.HelloReply(message=f"Goodbye {request.name}")

    def GreetAll(self, request_iterator, context):
        self.begin(context)
        names = ", ".join(request.name for request in request_iterator)
        self.misbehave(context, names)
        return helloworld_pb2.HelloReply(message=f"Hello {names}")

    def Chat(self, request_iterator, context):
        self.begin(context)
        for request in request_iterator:
            yield helloworld_pb2.HelloReply(message=f"Hello {request.name}")
            self.misbehave(context, request.name)


class Country(countries_pb2_grpc.CountryServicer):
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            entries = json.load(file)
        self.known = {
            entry["name"].casefold(): json_format.ParseDict(entry, countries_pb2.CountryResponse()) for entry in entries
        }

    def Search(self, request, context):
        found = self.known.get(request.name.casefold())
        if found is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no country is called {request.name}")
        return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--countries", required=True)
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    arguments = parser.parse_args()

    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=16),
        options=[("grpc.max_receive_message_length", MAX_MESSAGE_OCTETS)],
    )
    helloworld_pb2_grpc.add_GreeterServicer_to_server(Greeter(), server)
    countries_pb2_grpc.add_CountryServicer_to_server(Country(arguments.countries), server)
    if arguments.tls_cert:
        with open(arguments.tls_key, "rb") as key, open(arguments.tls_cert, "rb") as cert:
            credentials = grpc.ssl_server_credentials([(key.read(), cert.read())])
        port = server.add_secure_port(arguments.listen, credentials)
    else:
        port = server.add_insecure_port(arguments.listen)
    host = arguments.listen.rpartition(":")[0]
    server.start()
    print(f"listening {host}:{port}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: server.stop(None))
    server.wait_for_termination()


if __name__ == "__main__":
    main()
