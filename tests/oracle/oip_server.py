"""Serves one ONNX model with ONNX Runtime over the Open Inference Protocol v2, with JSON and binary tensors; for tests.

    PYTHON oip_server.py --model FILE [--name model] [--host 127.0.0.1] [--port 0] [--tls CERT KEY] [--token TOKEN]
                         [--max-batch N] [--threads 1] [--optimize all|extended|basic|disabled] [--no-binary] [--until-stdin-ends]

PYTHON is what tests/oracle/onnxruntime.sh prints. Prints "listening on URL" once it does; the model is at URL.
"""
import argparse
import http.server
import json
import math
import os
import re
import ssl
import sys
import threading
import urllib.parse

import numpy
import onnxruntime

MAX_BODY = 512 << 20
TYPES = {
    "tensor(float)": ("FP32", numpy.float32), "tensor(double)": ("FP64", numpy.float64), "tensor(float16)": ("FP16", numpy.float16),
    "tensor(int8)": ("INT8", numpy.int8), "tensor(int16)": ("INT16", numpy.int16), "tensor(int32)": ("INT32", numpy.int32),
    "tensor(int64)": ("INT64", numpy.int64), "tensor(uint8)": ("UINT8", numpy.uint8), "tensor(uint16)": ("UINT16", numpy.uint16),
    "tensor(uint32)": ("UINT32", numpy.uint32), "tensor(uint64)": ("UINT64", numpy.uint64), "tensor(bool)": ("BOOL", numpy.bool_),
    "tensor(string)": ("BYTES", None),
}
OF_DATATYPE = {datatype: array for datatype, array in TYPES.values() if array is not None}
DATATYPE_OF = {numpy.dtype(array): datatype for datatype, array in OF_DATATYPE.items()}


class Refusal(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--name", default="model")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--token")
    parser.add_argument("--max-batch", type=int, default=math.inf)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--optimize", choices=["all", "extended", "basic", "disabled"], default="all")
    parser.add_argument("--no-binary", action="store_true")
    parser.add_argument("--until-stdin-ends", action="store_true")
    return parser.parse_args()


def open_session(options):
    how = onnxruntime.SessionOptions()
    how.intra_op_num_threads = options.threads
    level = onnxruntime.GraphOptimizationLevel
    how.graph_optimization_level = {"all": level.ORT_ENABLE_ALL, "extended": level.ORT_ENABLE_EXTENDED,
                                    "basic": level.ORT_ENABLE_BASIC, "disabled": level.ORT_DISABLE_ALL}[options.optimize]
    return onnxruntime.InferenceSession(options.model, how, providers=["CPUExecutionProvider"])


def describe(nodes):
    return [{"name": node.name, "datatype": TYPES[node.type][0],
             "shape": [extent if isinstance(extent, int) else -1 for extent in node.shape]} for node in nodes]


class Model:
    def __init__(self, options):
        self.options = options
        self.session = open_session(options)

    def metadata(self):
        return {"name": self.options.name, "versions": ["1"], "platform": "onnxruntime_onnx",
                "inputs": describe(self.session.get_inputs()), "outputs": describe(self.session.get_outputs())}

    def read_tensor(self, tensor, tail):
        if tensor["shape"][0] > self.options.max_batch:
            raise Refusal(400, f"batches have at most {self.options.max_batch} inputs")
        array = OF_DATATYPE.get(tensor["datatype"])
        size = tensor.get("parameters", {}).get("binary_data_size")
        if array is None or array is numpy.float16 and size is None:
            raise Refusal(400, f"inputs of type {tensor['datatype']} are not taken in JSON")
        if size is None:
            return numpy.array(tensor["data"], dtype=array).reshape(tensor["shape"]), tail
        return numpy.frombuffer(tail[:size], dtype=array).reshape(tensor["shape"]), tail[size:]

    def infer(self, header, tail):
        """The answer's header and the binary tensors after it."""
        feeds = {}
        for tensor in header["inputs"]:
            feeds[tensor["name"]], tail = self.read_tensor(tensor, tail)
        wanted = header.get("outputs") or [{"name": node.name} for node in self.session.get_outputs()]
        results = self.session.run([each["name"] for each in wanted], feeds)
        default = header.get("parameters", {}).get("binary_data_output", False)
        outputs, parts = [], b""
        for each, values in zip(wanted, results):
            output = {"name": each["name"], "datatype": DATATYPE_OF[values.dtype], "shape": list(values.shape)}
            if each.get("parameters", {}).get("binary_data", default):
                output["parameters"] = {"binary_data_size": values.nbytes}
                parts += values.tobytes()
            elif values.dtype == numpy.float16:
                raise Refusal(400, "halves are sent as binary tensors alone")
            else:
                # As floats of the array's type are spelled: with the digits that they need, no more.
                output["data"] = [float(str(value)) if values.dtype.kind == "f" else value.item() for value in values.ravel()]
            outputs.append(output)
        return json.dumps({"model_name": self.options.name, "outputs": outputs}).encode(), parts


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are written apart, and would wait for each other's receipt: 45 ms a request

    def log_message(self, *_):
        pass

    def body(self):
        size = int(self.headers.get("Content-Length", 0))
        if size > MAX_BODY:
            self.close_connection = True
            raise Refusal(413, "the request is too large")
        return self.rfile.read(size)

    def answer(self, body):
        model, options = self.server.model, self.server.model.options
        if options.token and self.headers.get("Authorization") != f"Bearer {options.token}":
            raise Refusal(401, "wrong token")
        at = "/v2/models/" + urllib.parse.quote(options.name, safe="")
        path = re.sub(r"/versions/1(?=/|$)", "", self.path)
        extensions = [] if options.no_binary else ["binary_tensor_data"]
        known = {"/v2": {"name": "oip_server", "version": "1", "extensions": extensions}, "/v2/health/ready": {},
                 at: model.metadata()}
        if self.command == "GET" and path in known:
            return json.dumps(known[path]).encode(), b""
        if self.command == "POST" and path == at + "/infer":
            length = self.headers.get("Inference-Header-Content-Length")
            if length is None:
                return model.infer(json.loads(body), b"")
            if options.no_binary:
                raise Refusal(400, "JSON alone is taken")
            if not length.isdigit() or int(length) > len(body):
                raise Refusal(400, "broken length of the header")
            return model.infer(json.loads(body[:int(length)]), body[int(length):])
        raise Refusal(404, f"there is no {self.command} {self.path}")

    def serve(self):
        status, extra = 200, b""
        try:
            header, extra = self.answer(self.body())
        except Exception as error:  # whatever ONNX Runtime refuses comes from the request
            status, header = getattr(error, "status", 400), json.dumps({"error": str(error)}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream" if extra else "application/json")
        if extra:
            self.send_header("Inference-Header-Content-Length", str(len(header)))
        self.send_header("Content-Length", str(len(header) + len(extra)))
        self.end_headers()
        self.wfile.write(header + extra)

    do_GET = do_POST = serve


def main():
    options = read_options()
    server = http.server.ThreadingHTTPServer((options.host, options.port), Handler)
    server.model = Model(options)
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*options.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    if options.until_stdin_ends:
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    host = f"[{options.host}]" if ":" in options.host else options.host
    origin = f"{'https' if options.tls else 'http'}://{host}:{server.server_address[1]}"
    print(f"listening on {origin}/v2/models/{urllib.parse.quote(options.name, safe='')}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
