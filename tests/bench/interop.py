"""What modelseal and the reference implementation of OpenSSF Model Signing sign, and which of it the other verifies."""
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

import rendering
import throughput
from measuring import Failed, must
from rendering import Column

HERE = pathlib.Path(__file__).resolve().parent


class Reference:
    """One process for all questions: its start takes longer than any answer."""

    def __init__(self, python):
        self.process = subprocess.Popen([python, HERE / "reference.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **options):
        self.process.stdin.write(json.dumps(options, default=str) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failed("the reference ended")
        answer = json.loads(line)
        return answer["ok"], answer["said"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


@dataclasses.dataclass
class Case:
    name: str
    make: object  # makes the model at a path
    # What both are told when they sign and when they verify: words for modelseal, options for the reference.
    sign: list = dataclasses.field(default_factory=list)
    sign_reference: dict = dataclasses.field(default_factory=dict)
    verify: list = dataclasses.field(default_factory=list)
    verify_reference: dict = dataclasses.field(default_factory=dict)
    curve: str = "p256"
    leaf_days: tuple = None  # sign with a certificate that is valid from and to these days
    change: object = None  # of the model, between signing and verifying
    # Signed by modelseal: verified by modelseal, by the reference; signed by the reference: verified by the reference, by modelseal.
    # "v" verifies, "r" refuses, "-" is not signed.
    expected: str = "vvvv"
    why: str = ""


def folder(path):
    (path / "sub").mkdir(parents=True)
    for name, text in (("config.json", "{}"), ("model.bin", "weights" * 1000), ("sub/part.bin", "more" * 300)):
        (path / name).write_text(text)


def with_file(name, text="x"):
    def make(path):
        folder(path)
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return make


def single(path):
    path.write_text("weights" * 1000)


def empty_folder(path):
    path.mkdir()


def with_link(path):
    folder(path)
    (path / "link.bin").symlink_to("model.bin")


def with_folder_link(path):
    folder(path)
    (path / "link").symlink_to("sub")


def with_pipe(path):
    folder(path)
    os.mkfifo(path / "pipe")


def odd_order(path):  # parts of paths sort otherwise than the paths: a/y, a-b/x, a.bin
    for name in ("a/y", "a-b/x", "a.bin"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(name)


def not_utf8(path):
    folder(path)
    with open(os.fsencode(path) + b"/\xff.bin", "wb") as file:
        file.write(b"x")


def append(name):
    def change(path):
        with open(path / name if name else path, "a") as file:
            file.write("changed")
    return change


def remove(name):
    return lambda path: (path / name).unlink()


def add(name):
    return lambda path: (path / name).write_text("new")


def cases():
    yield Case("a folder, P-256", folder)
    yield Case("a folder, P-384", folder, curve="p384")
    yield Case("a folder, P-521", folder, curve="p521")
    yield Case("a single file", single)
    yield Case("a single file under its name", single, sign=["--base-name"], expected="vrvv",
               why="the specification names a single file by its name; the reference signs and accepts \".\" alone")
    yield Case("an empty file in it", with_file("empty", ""))
    yield Case("names that are not ASCII", with_file("Größe/重み.bin"))
    yield Case("hidden files", with_file(".hidden/x"))
    yield Case("names that sort by path and by parts", odd_order)
    yield Case("the same, in the order of parts", odd_order, sign=["--component-order"])
    yield Case("files of Git at the top, left out", with_file(".git/HEAD"))
    yield Case("files of Git, signed", with_file(".gitattributes"), sign=["--no-ignore-git-paths"], sign_reference={"git": True},
               verify=["--no-ignore-git-paths"], verify_reference={"git": True})
    yield Case("an ignored file", with_file("notes.txt"), sign=["--ignore", "MODEL/notes.txt"], sign_reference={"ignore": ["notes.txt"]})
    yield Case("an ignored folder", with_file("notes/a.txt"), sign=["--ignore", "MODEL/notes"], sign_reference={"ignore": ["notes"]})
    yield Case("a file that was added later, ignored when verified", folder, change=add("later.txt"), verify=["--ignore-unsigned-files"],
               verify_reference={"unsigned": True})
    yield Case("shards of 1000 bytes", folder, sign=["--shard-size", "1000"], sign_reference={"shard_size": 1000},
               verify_reference={"shard_size": 1000}, expected="vrvv",
               why="the reference calls their hash sha256-sharded-1000 and refuses the specification's name, sha256")
    yield Case("shards, named as by the reference", folder, sign=["--shard-size", "1000", "--sharded-algorithm"],
               sign_reference={"shard_size": 1000}, verify_reference={"shard_size": 1000})
    yield Case("the same, where the reference is not told the size", folder, sign=["--shard-size", "1000", "--sharded-algorithm"],
               sign_reference={"shard_size": 1000}, expected="vvrv",
               why="the reference writes the size as 1000.0, and cannot use what it reads back")
    yield Case("BLAKE2b", folder, sign=["--hash", "blake2b"], sign_reference={"hash": "blake2"}, verify_reference={"hash": "blake2"})
    yield Case("BLAKE2b, where the reference is not told", folder, sign=["--hash", "blake2b"], sign_reference={"hash": "blake2"},
               expected="vrrv", why="the reference writes blake2b, as the specification says, and does not know that name itself")
    yield Case("BLAKE3", folder, sign=["--hash", "blake3"], sign_reference={"hash": "blake3"}, expected="--vr",
               why="modelseal has SHA-256 and BLAKE2b")
    yield Case("a link to a file, allowed", with_link, sign=["--allow-symlinks"], sign_reference={"symlinks": True},
               verify_reference={"symlinks": True})
    yield Case("a link to a file, where the verifier is not told", with_link, sign=["--allow-symlinks"],
               sign_reference={"symlinks": True}, expected="vrrv",
               why="the signature says that links were followed; modelseal does as it says, the reference wants to be told")
    yield Case("a link to a file, not allowed", with_link, expected="----", why="both refuse to sign it")
    yield Case("a link to a folder, allowed", with_folder_link, sign=["--allow-symlinks"], sign_reference={"symlinks": True},
               verify_reference={"symlinks": True}, expected="--vr",
               why="the reference signs the folder without what the link leads to, and says nothing; modelseal refuses")
    yield Case("a pipe", with_pipe, expected="----", why="both refuse to sign it")
    yield Case("an empty folder", empty_folder, expected="--vr", why="the specification refuses an empty model; the reference signs it")
    yield Case("a name that is not UTF-8", not_utf8, expected="----", why="both refuse to sign it")
    yield Case("a certificate with its chain", folder, leaf_days=(-10, 100))
    yield Case("a certificate that has expired", folder, leaf_days=(-100, -10), expected="--vr",
               why="the reference looks at the certificate as of its first day")
    yield Case("a certificate that is not valid yet", folder, leaf_days=(10, 100), expected="--vr", why="as above")
    yield Case("one file changed", folder, change=append("model.bin"), expected="rrrr", why="both notice")
    yield Case("the single file changed", single, change=append(""), expected="rrrr", why="both notice")
    yield Case("one file removed", folder, change=remove("config.json"), expected="rrrr", why="both notice")
    yield Case("one file added", folder, change=add("new.bin"), expected="rrrr", why="both notice")


class Bench:
    def __init__(self, program, reference, work):
        self.program, self.reference, self.work = program, reference, work
        for curve in ("p256", "p384", "p521"):
            must([program, "keygen", work / curve, "--type", curve, "--no-passphrase"])

    def ours(self, *words):
        done = subprocess.run([str(self.program), *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.returncode == 0, (done.stderr or done.stdout).strip().splitlines()[:1]

    def run(self, number, case):
        """The row of a case: what became of each of the four."""
        place = self.work / str(number)
        place.mkdir()
        key = self.work / case.curve
        trust = {"public_key": f"{key}.pub"}
        ours_sign, ours_trust, reference_sign = [], ["--pub", f"{key}.pub"], {"key": f"{key}.key"}
        if case.leaf_days:
            made, said = self.reference.ask(do="certificates", folder=place, key=f"{key}.key", leaf_days=case.leaf_days)
            if not made:
                raise Failed(said)
            trust = {"chain": [place / "ca.pem"]}
            ours_sign = ["--cert", place / "leaf.pem", "--cert-chain", place / "inner.pem"]
            ours_trust = ["--cert-chain", place / "ca.pem"]
            reference_sign |= {"certificate": place / "leaf.pem", "chain": [place / "inner.pem"]}
        row = {"name": case.name, "why": case.why}
        code, notes = "", []
        for signer in ("modelseal", "reference"):
            model, signature = place / f"{signer}-model", place / f"{signer}.sig"
            case.make(model)
            told = lambda words: [word.replace("MODEL", str(model)) for word in words]
            if signer == "modelseal":
                signed, said = self.ours("sign", model, "-k", f"{key}.key", "-o", signature, *ours_sign, *told(case.sign))
            else:
                options = dict(case.sign_reference)
                options["ignore"] = [model / path for path in options.get("ignore", [])]
                signed, said = self.reference.ask(do="sign", model=model, signature=signature, **reference_sign, **options)
            if not signed:
                code += "--"
                notes.append(f"{signer} does not sign: {said}")
                continue
            if case.change:
                case.change(model)
            verified = {"modelseal": self.ours("verify", model, "--signature", signature, *ours_trust, *told(case.verify)),
                        "reference": self.reference.ask(do="verify", model=model, signature=signature, **trust, **case.verify_reference)}
            for verifier in (signer, "reference" if signer == "modelseal" else "modelseal"):
                good, said = verified[verifier]
                code += "v" if good else "r"
                if not good:
                    notes.append(f"{verifier} of {signer}'s: {said}")
        shutil.rmtree(place, ignore_errors=True)
        words = {"v": "verifies", "r": "refuses", "-": "not signed"}
        for key_, letter in zip(("ours_ours", "ours_reference", "reference_reference", "reference_ours"), code):
            row[key_] = words[letter]
        said = [note.replace(str(self.work), "WORK") for note in notes]  # where it was says nothing
        return {**row, "code": code, "expected": case.expected, "said": said}


COLUMNS = [Column("name", "model and options"), Column("ours_ours", "modelseal signs: modelseal"), Column("ours_reference", "the reference"),
           Column("reference_reference", "the reference signs: the reference"), Column("reference_ours", "modelseal"), Column("why", "why")]


def interop(options, work):
    reference = Reference(options.reference)
    try:
        bench = Bench(options.program, reference, work)
        rows = [bench.run(number, case) for number, case in enumerate(cases())]
    finally:
        reference.close()
    notes = ["Each row was signed and verified by both, with the same files, keys and options; a refusal is an error of the verifier, whatever "
             "its reason."]
    notes = [options.note, *notes] if options.note else notes
    head = {"made": rendering.today(), "command": options.command_line, "machine": options.machine,
            "versions": throughput.versions(options.program, options.reference), "missing": [], "notes": notes}
    rendering.write(options.output, "interop", "OpenSSF Model Signing: modelseal and the reference", head, COLUMNS, rows)
    wrong = [f"{row['name']}: {row['code']} instead of {row['expected']}: {'; '.join(map(str, row['said']))}" for row in rows
             if row["code"] != row["expected"]]
    return wrong or ([] if rows else ["the table is empty"])
