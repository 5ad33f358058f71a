// Serves one ONNX model with ONNX Runtime over the Open Inference Protocol v2, with JSON and binary tensors; for tests.
//
//   node oip_server.mjs --model FILE [--name model] [--host 127.0.0.1] [--port 0] [--tls CERT KEY] [--token TOKEN]
//                       [--max-batch N] [--threads 1] [--optimize all] [--no-binary] [--until-stdin-ends]
//
// Prints "listening on URL" once it does; the model is at URL. ONNX Runtime is looked for in MODELSEAL_ONNXRUNTIME, or
// where tests/oracle/onnxruntime.sh put it.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

const MAX_BODY = 512 << 20;

function readOptions(words) {
    const options = {
        name: 'model', host: '127.0.0.1', port: 0, token: '', maxBatch: Infinity, threads: 1, optimize: 'all', binary: true,
    };
    while (words.length > 0) {
        const word = words.shift();
        switch (word) {
            case '--model': options.model = words.shift(); break;
            case '--name': options.name = words.shift(); break;
            case '--host': options.host = words.shift(); break;
            case '--port': options.port = Number(words.shift()); break;
            case '--tls': options.tls = { cert: readFileSync(words.shift()), key: readFileSync(words.shift()) }; break;
            case '--token': options.token = words.shift(); break;
            case '--max-batch': options.maxBatch = Number(words.shift()); break;
            case '--threads': options.threads = Number(words.shift()); break;
            case '--optimize': options.optimize = words.shift(); break;
            case '--no-binary': options.binary = false; break;
            case '--until-stdin-ends': process.stdin.on('end', () => process.exit(0)).resume(); break;
            default: throw new Error(`unknown option ${word}`);
        }
    }
    if (options.model === undefined) throw new Error('--model is needed');
    return options;
}

function loadRuntime() {
    const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
    const folder = process.env.MODELSEAL_ONNXRUNTIME || join(cache, 'modelseal', 'onnxruntime-1.30.0');
    return createRequire(join(folder, 'node_modules', 'x.js'))('onnxruntime-node');
}

// ONNX Runtime's types and what the protocol calls them, with the arrays that hold them.
const TYPES = {
    float32: ['FP32', Float32Array], float64: ['FP64', Float64Array], float16: ['FP16', Uint16Array],
    int8: ['INT8', Int8Array], int16: ['INT16', Int16Array], int32: ['INT32', Int32Array], int64: ['INT64', BigInt64Array],
    uint8: ['UINT8', Uint8Array], uint16: ['UINT16', Uint16Array], uint32: ['UINT32', Uint32Array],
    uint64: ['UINT64', BigUint64Array], bool: ['BOOL', Uint8Array], string: ['BYTES', undefined],
};

class Refusal extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

const describe = (metadata) => metadata.map(({ name, type, shape }) => ({
    name, datatype: TYPES[type][0], shape: shape.map((extent) => (typeof extent === 'number' ? extent : -1)),
}));

// The header and the bytes behind it, which inputs take from the front.
function splitBody(request, body) {
    const length = request.headers['inference-header-content-length'];
    if (length === undefined) return [JSON.parse(body.toString()), Buffer.alloc(0)];
    if (!/^\d+$/.test(length) || Number(length) > body.length) throw new Refusal(400, 'broken length of the header');
    return [JSON.parse(body.subarray(0, Number(length)).toString()), body.subarray(Number(length))];
}

function readTensor(ort, input, bytes) {
    const type = Object.keys(TYPES).find((each) => TYPES[each][0] === input.datatype);
    const Values = type && TYPES[type][1];
    if (Values === undefined || type === 'float16') throw new Refusal(400, `inputs of type ${input.datatype} are not taken`);
    if (bytes !== undefined) {
        const aligned = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
        return new ort.Tensor(type, new Values(aligned), input.shape);
    }
    const flat = input.data.flat(Infinity);
    return new ort.Tensor(type, Values.from(type.endsWith('64') && type !== 'float64' ? flat.map(BigInt) : flat), input.shape);
}

function readInputs(ort, message, tail, options) {
    const feeds = {};
    for (const input of message.inputs) {
        if (input.shape[0] > options.maxBatch) throw new Refusal(400, `batches have at most ${options.maxBatch} inputs`);
        const size = input.parameters?.binary_data_size;
        feeds[input.name] = readTensor(ort, input, size === undefined ? undefined : tail.subarray(0, size));
        tail = tail.subarray(size ?? 0);
    }
    return feeds;
}

async function infer(ort, session, request, body, options) {
    if (!options.binary && request.headers['inference-header-content-length']) throw new Refusal(400, 'JSON alone is taken');
    const [message, tail] = splitBody(request, body);
    const feeds = readInputs(ort, message, tail, options);
    const wanted = message.outputs ?? session.outputNames.map((name) => ({ name }));
    const results = await session.run(feeds, wanted.map(({ name }) => name));
    const parts = [];
    const outputs = wanted.map(({ name, parameters }) => {
        const { type, dims, data } = results[name];
        const output = { name, datatype: TYPES[type][0], shape: dims };
        if (parameters?.binary_data ?? message.parameters?.binary_data_output ?? false) {
            const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
            parts.push(bytes);
            return { ...output, parameters: { binary_data_size: bytes.length } };
        }
        if (type === 'float16') throw new Refusal(400, 'halves are sent as binary tensors alone');
        return { ...output, data: Array.from(data, (value) => (typeof value === 'bigint' ? Number(value) : value)) };
    });
    const header = Buffer.from(JSON.stringify({ model_name: options.name, outputs }));
    return { header: parts.length > 0 ? header.length : undefined, body: Buffer.concat([header, ...parts]) };
}

async function answer(ort, session, request, body, options) {
    if (options.token && request.headers.authorization !== `Bearer ${options.token}`) throw new Refusal(401, 'wrong token');
    const model = `/v2/models/${encodeURIComponent(options.name)}`;
    const get = {
        '/v2': { name: 'oip_server', version: '1', extensions: options.binary ? ['binary_tensor_data'] : [] },
        '/v2/health/ready': {},
        [model]: {
            name: options.name, versions: ['1'], platform: 'onnxruntime_onnx',
            inputs: describe(session.inputMetadata), outputs: describe(session.outputMetadata),
        },
    };
    const path = request.url.replace(/\/versions\/1(?=\/|$)/, '');
    if (request.method === 'POST' && path === `${model}/infer`) return infer(ort, session, request, body, options);
    if (request.method === 'GET' && get[path] !== undefined) return { body: Buffer.from(JSON.stringify(get[path])) };
    throw new Refusal(404, `there is no ${request.method} ${request.url}`);
}

async function readBody(request) {
    const parts = [];
    let size = 0;
    for await (const part of request) {
        parts.push(part);
        size += part.length;
        if (size > MAX_BODY) throw new Refusal(413, 'the request is too large');
    }
    return Buffer.concat(parts);
}

async function main() {
    const options = readOptions(process.argv.slice(2));
    const ort = loadRuntime();
    const session = await ort.InferenceSession.create(options.model, {
        intraOpNumThreads: options.threads, graphOptimizationLevel: options.optimize,
    });
    const serve = async (request, response) => {
        try {
            const { header, body } = await answer(ort, session, request, await readBody(request), options);
            response.setHeader('Content-Type', header === undefined ? 'application/json' : 'application/octet-stream');
            if (header !== undefined) response.setHeader('Inference-Header-Content-Length', header);
            response.end(body);
        } catch (error) {
            // Whatever ONNX Runtime refuses comes from the request.
            response.statusCode = error.status ?? 400;
            response.end(JSON.stringify({ error: error.message }));
        }
    };
    const server = options.tls ? https.createServer(options.tls, serve) : http.createServer(serve);
    server.listen(options.port, options.host, () => {
        const host = options.host.includes(':') ? `[${options.host}]` : options.host;
        const origin = `${options.tls ? 'https' : 'http'}://${host}:${server.address().port}`;
        console.log(`listening on ${origin}/v2/models/${encodeURIComponent(options.name)}`);
    });
}

main().catch((error) => {
    console.error(error.message);
    process.exit(1);
});
