#!/usr/bin/env python3
"""The hook of an OCI registry under load: many uploads at once while it is killed again and again, and a burst of notifications.

    tests/hook/oci_load.py PROGRAM [--uploads 1000] [--kills 20] [--burst 10000] [--jobs 2] [--seed 1]

Needs docker-registry. Every upload must be decided once and rightly; exits with 1 if one is not. Prints figures.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

SECRET = "0123456789abcdef0123456789abcdef"
POLICY = """version = 1
[[vendor]]
name = "acme"
keys = ["vendor.pub"]
"""
local = threading.local()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def small_model(seed):
    rng = random.Random(seed)
    values = struct.pack("<60000f", *(rng.gauss(0, 0.05) for _ in range(60000)))
    header = json.dumps({"conv1.weight": {"dtype": "F32", "shape": [60000], "data_offsets": [0, len(values)]}}).encode()
    return struct.pack("<Q", len(header)) + header + values


def ask(port, method, path, body=None, headers=None):
    """Status and body; one connection a thread."""
    kept = local.__dict__.setdefault("connections", {})
    for attempt in range(2):
        connection = kept.setdefault(port, http.client.HTTPConnection("127.0.0.1", port, timeout=60))
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        except OSError:
            kept.pop(port).close()
        except http.client.HTTPException:
            kept.pop(port).close()
    return 0, b"", {}


class Hook:
    """The process under test, which can be killed and started again."""

    def __init__(self, program, folder, registry, jobs, limit):
        self.port = free_port()
        self.peak_kb = 0
        self.peak_queue = 0
        self.log = open(folder / "hook.log", "ab")
        self.command = [program, "hook", "oci", "--listen", f"127.0.0.1:{self.port}", "--registry", registry,
                        "--policy", folder / "policy.toml", "--queue", folder / "queue.db", "--secret-file",
                        folder / "secret", "--audit", folder / "audit.jsonl", "--queue-limit", str(limit), "--jobs", str(jobs)]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)
        while ask(self.port, "GET", "/healthz")[0] != 200:
            if self.process.poll() is not None:
                raise SystemExit(f"the hook ended: {self.process.returncode}, see {self.log.name}")
            time.sleep(0.02)

    def look(self):
        try:
            for line in open(f"/proc/{self.process.pid}/status"):
                if line.startswith("VmHWM:"):
                    self.peak_kb = max(self.peak_kb, int(line.split()[1]))
        except (OSError, ProcessLookupError):
            pass

    def look_at_queue(self):
        for line in ask(self.port, "GET", "/metrics")[1].decode().splitlines():
            if line.startswith("modelseal_hook_queue_jobs "):
                self.peak_queue = max(self.peak_queue, int(line.split()[1]))

    def kill(self):
        self.look()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.look()
        self.process.terminate()
        return self.process.wait(60)


def start_registry(folder, hook_port):
    port = free_port()
    (folder / "registry.yml").write_text(f"""version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {folder}/registry}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
notifications:
  endpoints:
    - name: modelseal
      url: http://127.0.0.1:{hook_port}/notifications
      headers: {{Authorization: ["Bearer {SECRET}"]}}
      timeout: 10s
      threshold: 3
      backoff: 200ms
""")
    process = subprocess.Popen(["docker-registry", "serve", folder / "registry.yml"], stdout=open(folder / "registry.log", "w"),
                               stderr=subprocess.STDOUT)
    while ask(port, "GET", "/v2/")[0] != 200:
        time.sleep(0.05)
    return port, process


def push_blob(port, repository, data):
    status, _, headers = ask(port, "POST", f"/v2/{repository}/blobs/uploads/", b"")
    assert status == 202, status
    path = headers["Location"].split(f":{port}", 1)[1]
    status, _, _ = ask(port, "PUT", f"{path}&digest={digest_of(data)}", data, {"Content-Type": "application/octet-stream"})
    assert status == 201, status


def push(port, repository, tag, files):
    layers = []
    for title, data, pushed in files:
        if not pushed:
            push_blob(port, repository, data)
        layers.append({"mediaType": "application/octet-stream", "digest": digest_of(data), "size": len(data),
                       "annotations": {"org.opencontainers.image.title": title}})
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                           "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2},
                           "layers": layers}).encode()
    status, _, _ = ask(port, "PUT", f"/v2/{repository}/manifests/{tag}", manifest,
                       {"Content-Type": "application/vnd.oci.image.manifest.v1+json"})
    assert status == 201, status
    return digest_of(manifest)


def decisions(folder):
    found = collections.defaultdict(list)
    path = folder / "audit.jsonl"
    if path.exists():
        for line in path.read_text().splitlines():
            if line:
                entry = json.loads(line)
                found[entry["digest"]].append(entry)
    return found


def wait_for(folder, hook, digests, limit):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        hook.look()
        found = decisions(folder)
        if all(digest in found for digest in digests):
            return found
        time.sleep(0.5)
    return decisions(folder)


def judge(found, expected):
    """Counts of what is lost, decided more than once, and decided wrongly."""
    lost = [d for d in expected if d not in found]
    twice = [d for d in expected if len(found.get(d, [])) > 1]
    wrong = [d for d, outcome in expected.items() if d in found and found[d][0]["outcome"] != outcome]
    return len(lost), len(twice), len(wrong)


def cpu_seconds():
    usage = os.times()
    return usage.children_user + usage.children_system


def uploads(args, folder, models):
    hook = Hook(args.program, folder, "http://127.0.0.1:0", args.jobs, 100000)
    registry, process = start_registry(folder, hook.port)
    hook.command[hook.command.index("--registry") + 1] = f"http://127.0.0.1:{registry}"
    hook.start()
    rng = random.Random(args.seed)
    repositories = [f"acme/net{i}" for i in range(10)]
    for repository in repositories:
        for data in [b"{}", *models.values()]:
            push_blob(registry, repository, data)
    expected, lock = {}, threading.Lock()

    def one(number):
        kind = ("sealed", "sealed", "flipped", "plain")[number % 4]
        digest = push(registry, repositories[number % 10], f"v{number}",
                      [("model.safetensors", models[kind], True), ("README.md", f"upload {number}".encode(), False)])
        with lock:
            expected[digest] = "allow" if kind == "sealed" else "deny"

    begin = time.monotonic()
    half, open_at_kills = args.uploads // 2, []

    def kill():
        hook.kill()
        with lock:
            open_at_kills.append(len(set(expected) - set(decisions(folder))))

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        pushes = [pool.submit(one, number) for number in range(half)]
        for _ in range(args.kills // 2):  # while it is sent notifications
            time.sleep(rng.uniform(0.2, 3.0))
            kill()
            hook.start()
        # The other half finds nobody, comes all at once afterwards, and is being decided at the other kills.
        hook.kill()
        for done in pushes + [pool.submit(one, number) for number in range(half, args.uploads)]:
            done.result()
        hook.start()
    pushed = time.monotonic() - begin
    for _ in range(args.kills - args.kills // 2):
        time.sleep(rng.uniform(0.2, 2.0))
        kill()
        hook.start()
    found = wait_for(folder, hook, expected, 600)
    lost, twice, wrong = judge(found, expected)
    taken = time.monotonic() - begin
    # What is denied must be gone, and be in quarantine.
    left = missing = 0
    for digest, outcome in expected.items():
        repository = found[digest][0]["repository"] if digest in found else ""
        if outcome == "deny" and repository:
            left += ask(registry, "HEAD", f"/v2/{repository}/manifests/{digest}")[0] != 404
            missing += ask(registry, "HEAD", f"/v2/quarantine/{repository}/manifests/{digest}",
                           headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})[0] != 200
    others = len(found) - len(expected)
    code = hook.stop()
    process.terminate()
    process.wait()
    print(f"{args.uploads} uploads, {args.kills} kills: pushed in {pushed:.1f} s, decided after {taken:.1f} s wall, "
          f"{cpu_seconds():.1f} s CPU of hook and registry; lost {lost}, twice {twice}, wrong {wrong}, denied and left {left}, "
          f"not in quarantine {missing}, others in the log {others}; uploads without a decision at the kills {open_at_kills}; peak memory {hook.peak_kb / 1024:.1f} MiB; exit code {code}")
    return lost + twice + wrong + left + missing + others + code


def burst(args, folder):
    limit = 1000
    hook = Hook(args.program, folder, "http://127.0.0.1:0", args.jobs, limit)
    registry, process = start_registry(folder, hook.port)
    hook.command[hook.command.index("--registry") + 1] = f"http://127.0.0.1:{registry}"
    hook.start()
    statuses, lock = collections.Counter(), threading.Lock()
    expected = {}

    def one(number):
        digest = digest_of(f"burst {number}".encode())
        body = json.dumps({"events": [{"id": f"burst-{number}", "action": "push", "target": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "repository": "acme/burst", "digest": digest}}]})
        with lock:
            expected[digest] = "error"  # the registry does not have it
        while True:
            status = ask(hook.port, "POST", "/notifications", body, {"Authorization": f"Bearer {SECRET}"})[0]
            with lock:
                statuses[status] += 1
            if status == 200:
                return
            time.sleep(0.5)

    begin, before = time.monotonic(), cpu_seconds()
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        sent = [pool.submit(one, number) for number in range(args.burst)]
        while not all(done.done() for done in sent):
            hook.look()
            hook.look_at_queue()
            time.sleep(0.2)
    accepted = time.monotonic() - begin
    found = wait_for(folder, hook, expected, 600)
    lost, twice, wrong = judge(found, expected)
    taken = time.monotonic() - begin
    code = hook.stop()
    process.terminate()
    process.wait()
    print(f"{args.burst} notifications in a burst, queue of {limit}: all accepted after {accepted:.1f} s, decided after {taken:.1f} s, "
          f"{cpu_seconds() - before:.1f} s CPU; answers {dict(statuses)}; at most {hook.peak_queue} in the queue; lost {lost}, "
          f"twice {twice}, wrong {wrong}; peak memory {hook.peak_kb / 1024:.1f} MiB; exit code {code}")
    return lost + twice + wrong + code + (hook.peak_queue > limit)


def prepare(args, folder):
    subprocess.run([args.program, "keygen", "vendor", "--no-passphrase"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (folder / "policy.toml").write_text(POLICY)
    (folder / "secret").write_text(SECRET + "\n")
    (folder / "plain").write_bytes(small_model(1))
    subprocess.run([args.program, "seal", "plain", "-k", "vendor.key", "-o", "sealed"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    sealed = (folder / "sealed").read_bytes()
    flipped = bytearray(sealed)
    flipped[len(flipped) // 2] ^= 1
    return {"plain": (folder / "plain").read_bytes(), "sealed": sealed, "flipped": bytes(flipped)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--uploads", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--burst", type=int, default=10000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.program = args.program.resolve()
    if shutil.which("docker-registry") is None:
        raise SystemExit("docker-registry is not installed")
    failures = 0
    for story in ("uploads", "burst"):
        if getattr(args, story) == 0:
            continue
        with tempfile.TemporaryDirectory(prefix="modelseal-load-") as name:
            folder = pathlib.Path(name)
            models = prepare(args, folder)
            failures += uploads(args, folder, models) if story == "uploads" else burst(args, folder)
    raise SystemExit(1 if failures else 0)


main()
