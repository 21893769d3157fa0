"""Encodes the stories of standard input with `hpack` from PyPI (python-hyper), to standard output."""

import json
import sys

import hpack


def latin1(field):
    return field[0].encode("latin1"), field[1].encode("latin1")


stories = json.load(sys.stdin)
for number, story in enumerate(stories):
    encoder = hpack.Encoder()
    for block in story["blocks"]:
        for size in block.get("tableSizes", []):
            encoder.header_table_size = size
        never = block.get("never", [])
        fields = [(*latin1(field), at in never) for at, field in enumerate(block["fields"])]
        # Every other story without Huffman coding.
        block["wire"] = encoder.encode(fields, huffman=number % 2 == 0).hex()
print(json.dumps({"encoder": f"python-hyper hpack {hpack.__version__}", "stories": stories}))
