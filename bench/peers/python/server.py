"""Python's grpcio as a server for the benchmarks (asyncio). It generates no code: the messages of bench.proto and
helloworld.proto are on the wire as well-known types, and those it takes instead."""

import asyncio

import grpc
from google.protobuf import wrappers_pb2

Octets = wrappers_pb2.BytesValue
Text = wrappers_pb2.StringValue
MAX_MESSAGE_OCTETS = 16 << 20


async def echo(request, context):
    return request


async def say_hello(request, context):
    return Text(value=f"Hello {request.value}")


def unary(handler, message):
    return grpc.unary_unary_rpc_method_handler(handler, message.FromString, message.SerializeToString)


async def main():
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", MAX_MESSAGE_OCTETS)])
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler("bench.Bench", {"Echo": unary(echo, Octets)}),
            grpc.method_handlers_generic_handler("helloworld.Greeter", {"SayHello": unary(say_hello, Text)}),
        )
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


asyncio.run(main())
