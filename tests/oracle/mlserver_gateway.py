"""Serves one ONNX model with MLServer, an implementation of the Open Inference Protocol that is not ours, behind a gateway
that is as strict as those of a company; for tests.

    PYTHON mlserver_gateway.py --model FILE [--name model] [--tls CERT KEY] [--client-ca PEM]
                               [--api-key KEY] [--host NAME] [--only-http2] [--until-stdin-ends]

PYTHON is what `tests/venv.sh mlserver tests/oracle/mlserver_requirements.txt` prints. Prints "listening on URL" once it does;
the model is at URL. --host: the gateway knows the model by this Host alone, and answers 404 to others.
"""
import argparse
import asyncio
import os
import socket
import sys
import threading

import aiohttp
import hypercorn.asyncio
import hypercorn.config
import onnxruntime
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse, MetadataTensor

NAMES = {"tensor(float)": "FP32", "tensor(float16)": "FP16", "tensor(int64)": "INT64"}


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--name", default="model")
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--client-ca")
    parser.add_argument("--api-key")
    parser.add_argument("--host")
    parser.add_argument("--only-http2", action="store_true")
    parser.add_argument("--until-stdin-ends", action="store_true")
    return parser.parse_args()


def describe(nodes):
    return [MetadataTensor(name=node.name, datatype=NAMES[node.type],
                           shape=[extent if isinstance(extent, int) else -1 for extent in node.shape]) for node in nodes]


class OnnxModel(MLModel):
    async def load(self):
        how = onnxruntime.SessionOptions()
        how.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, how, providers=["CPUExecutionProvider"])
        self.inputs = describe(self.session.get_inputs())
        self.outputs = describe(self.session.get_outputs())
        return True

    async def predict(self, payload):
        feeds = {tensor.name: self.decode(tensor, default_codec=NumpyCodec) for tensor in payload.inputs}
        names = [node.name for node in self.session.get_outputs()]
        values = self.session.run(names, feeds)
        return InferenceResponse(model_name=self.name,
                                 outputs=[NumpyCodec.encode_output(name, value) for name, value in zip(names, values)])


class Gateway:
    def __init__(self, options, behind):
        self.options, self.behind, self.session = options, behind, None

    def complaint(self, scope, headers):
        if self.options.only_http2 and scope["http_version"] != "2":
            return 505, "HTTP/2 alone is spoken here"
        if self.options.host and headers.get("host") != self.options.host:
            return 404, "no such host"
        if self.options.api_key and headers.get("x-api-key") != self.options.api_key:
            return 401, "who is asking?"
        return None

    async def answer(self, scope, body):
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        headers.setdefault("host", headers.pop(":authority", ""))
        refused = self.complaint(scope, headers)
        if refused:
            return refused[0], [], refused[1].encode()
        passed = {name: headers[name] for name in ("content-type", "accept-encoding", "inference-header-content-length")
                  if name in headers}
        async with self.session.request(scope["method"], self.behind + scope["path"], data=body, headers=passed) as response:
            kept = [(name.lower().encode(), value.encode()) for name, value in response.headers.items()
                    if name.lower() in ("content-type", "content-encoding", "inference-header-content-length")]
            return response.status, kept, await response.read()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        if self.session is None:
            self.session = aiohttp.ClientSession(auto_decompress=False)
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        status, headers, content = await self.answer(scope, body)
        headers.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def listening_socket():
    own = socket.socket()
    own.bind(("127.0.0.1", 0))
    own.listen()
    return own


def free_port():
    with listening_socket() as own:
        return own.getsockname()[1]


async def until_ready(url, session):
    for _ in range(600):
        try:
            async with session.get(url + "/ready") as response:
                if response.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    sys.exit("MLServer does not become ready")


async def serve(options, answers):
    port = free_port()
    settings = Settings(host="127.0.0.1", http_port=port, grpc_port=free_port(), metrics_endpoint=None,
                        parallel_workers=0, debug=False, load_models_at_startup=False)
    server = MLServer(settings)
    model = ModelSettings(name=options.name, implementation=OnnxModel, parameters={"uri": options.model})
    running = asyncio.create_task(server.start([model]))
    behind = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as session:
        await until_ready(f"{behind}/v2/models/{options.name}", session)
    front = listening_socket()
    config = hypercorn.config.Config()
    config.bind = [f"fd://{front.fileno()}"]
    config.errorlog = config.accesslog = None
    if options.tls:
        config.certfile, config.keyfile = options.tls
    if options.client_ca:
        config.ca_certs, config.verify_mode = options.client_ca, 2  # ssl.CERT_REQUIRED
    scheme = "https" if options.tls else "http"
    print(f"listening on {scheme}://127.0.0.1:{front.getsockname()[1]}/v2/models/{options.name}", file=answers, flush=True)
    never = asyncio.Event()
    await asyncio.gather(running, hypercorn.asyncio.serve(Gateway(options, behind), config, shutdown_trigger=never.wait))


def main():
    options = read_options()
    if options.until_stdin_ends:
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    # MLServer logs to standard output, which is for the URL alone.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    asyncio.run(serve(options, answers))


if __name__ == "__main__":
    main()
