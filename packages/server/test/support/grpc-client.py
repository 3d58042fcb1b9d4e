"""Draws over gRPC with grpcio, the implementation in C, and prints what it saw as JSON: PORT DESCRIPTORS KEY AFTER.

The calls are read from the descriptors when it runs, so that nothing has to be generated.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

port, descriptors, key, after = sys.argv[1:]
pool = descriptor_pool.DescriptorPool()
with open(descriptors, "rb") as file:
    for found in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
        pool.Add(found)
factory = message_factory.MessageFactory(pool)
service = pool.FindServiceByName("kuji.v1.Kuji")
channel = grpc.insecure_channel(f"127.0.0.1:{port}")
metadata = [("authorization", f"Bearer {key}")]


def call(name, kind):
    method = service.FindMethodByName(name)
    request = factory.GetPrototype(method.input_type)
    response = factory.GetPrototype(method.output_type)
    stub = getattr(channel, kind)(
        f"/{service.full_name}/{name}", request.SerializeToString, response.FromString
    )
    return lambda fields, **options: stub(fields, metadata=metadata, **options), request


def unary(name, fields, **options):
    stub, request = call(name, "unary_unary")
    return json_format.MessageToDict(stub(json_format.ParseDict(fields, request()), **options))


def refused(name, fields, **options):
    try:
        unary(name, fields, **options)
    except grpc.RpcError as error:
        trailers = dict(error.trailing_metadata())
        return [error.code().name, trailers.get("kuji-code"), trailers.get("kuji-fields")]
    return "not refused"


seen = {}
manifest = {
    "id": "noted",
    "metadata": {"title": "くじ", "pages": [1, None, True]},
    "items": [{"id": "a", "weight": 0.5, "stock": {"units": "9007199254740"}}],
}
seen["put"] = unary("PutPool", {"pool": manifest, "ifVersion": 0})
seen["pool"] = unary("GetPool", {"pool": "noted"})
seen["draw"] = unary("Draw", {"pool": "summer", "count": 10000, "key": "k", "recipient": "客"})
seen["again"] = unary("Draw", {"pool": "summer", "count": 10000, "key": "k", "recipient": "客"})
seen["conflict"] = refused("Draw", {"pool": "summer", "key": "k"})
seen["nowhere"] = refused("Draw", {"pool": "な" * 9000})
seen["late"] = refused("Draw", {"pool": "held"}, timeout=0.1)

stub, request = call("DrawStream", "stream_stream")
requests = [
    {"draw": {"pool": "summer"}, "correlationId": "1"},
    {"draw": {"pool": "few", "count": 4}, "correlationId": "2"},
    {"draw": {"pool": "summer", "count": 2}, "correlationId": "3"},
]
answers = stub(iter([json_format.ParseDict(fields, request()) for fields in requests]))
seen["stream"] = [json_format.MessageToDict(answer) for answer in answers]

stub, request = call("Watch", "unary_stream")
events = stub(request(after=int(after)))
first = json_format.MessageToDict(next(events))
seen["event"] = [first["lsn"], list(first["changes"][0])]
events.cancel()
print(json.dumps(seen))
