"""What other programs are told about modelseal: hooks of pre-commit, a GitHub Action, units of systemd."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
POLICY = """version = 1
[[vendor]]
name = "acme"
keys = ["vendor.pub"]
"""


def run(*words, cwd, **variables):
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, env={**os.environ, **variables}, timeout=300)


@pytest.fixture
def models(tmp_path):
    """vendor.pub, policy.toml, good.safetensors, and the same with a flipped bit."""
    folder = tmp_path / "models"
    folder.mkdir()
    for words in (["small_network", "plain.safetensors"], ["modelseal", "keygen", "vendor", "--no-passphrase"],
                  ["modelseal", "seal", "plain.safetensors", "-k", "vendor.key", "-o", "good.safetensors"]):
        done = run(*words, cwd=folder)
        assert done.returncode == 0, done.stderr
    data = bytearray((folder / "good.safetensors").read_bytes())
    data[-1000] ^= 1
    (folder / "bad.safetensors").write_bytes(data)
    (folder / "policy.toml").write_text(POLICY)
    return folder


def git_repository(folder, files):
    folder.mkdir()
    for words in (["init", "-q", "-b", "main"], ["config", "user.name", "t"], ["config", "user.email", "t@example.org"]):
        run("git", *words, cwd=folder)
    for name, text in files.items():
        (folder / name).write_text(text)
    run("git", "add", ".", cwd=folder)
    assert run("git", "commit", "-q", "-m", "first", cwd=folder).returncode == 0
    return run("git", "rev-parse", "HEAD", cwd=folder).stdout.strip()


def test_pre_commit_refuses_a_commit_of_a_tampered_model(models, tmp_path):
    definition = (ROOT / ".pre-commit-hooks.yaml").read_text()
    revision = git_repository(tmp_path / "hooks", {".pre-commit-hooks.yaml": definition})
    assert run("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml", cwd=tmp_path / "hooks").returncode == 0
    work = tmp_path / "work"
    git_repository(work, {".pre-commit-config.yaml": yaml.safe_dump({"repos": [{
        "repo": str(tmp_path / "hooks"), "rev": revision,
        "hooks": [{"id": "modelseal-check", "args": ["--policy", str(models / "policy.toml"), "--"]}]}]})})
    home = {"PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CONFIG_GLOBAL": "/dev/null"}
    assert run("pre-commit", "install", cwd=work, **home).returncode == 0

    def commit(model, name):
        shutil.copy(models / model, work / name)
        run("git", "add", ".", cwd=work)
        return run("git", "commit", "-q", "-m", name, cwd=work, **home)

    good = commit("good.safetensors", "-net.safetensors")
    assert good.returncode == 0, good.stderr + good.stdout
    bad = commit("bad.safetensors", "net.onnx")  # by its content
    assert bad.returncode != 0
    assert "net.onnx: tampered" in bad.stderr + bad.stdout
    assert "layers" in bad.stderr + bad.stdout
    (work / "net.onnx").unlink()
    (work / "notes.txt").write_text("x")
    run("git", "add", "-A", cwd=work)
    assert run("git", "commit", "-q", "-m", "notes", cwd=work, **home).returncode == 0


class Action:
    """Runs a composite action as GitHub does: expressions are replaced, and each step is a script of its shell."""

    def __init__(self, folder):
        self.definition = yaml.safe_load((ROOT / ".github/actions/modelseal-check/action.yml").read_text())
        self.folder = folder
        self.summary, self.output = folder / "summary.md", folder / "output"
        self.summary.touch()
        self.output.touch()

    def __call__(self, **given):
        inputs = {name: given.get(name, about.get("default", "")) for name, about in self.definition["inputs"].items()}
        assert self.definition["runs"]["using"] == "composite"
        for step in self.definition["runs"]["steps"]:
            assert step["shell"] == "bash"
            assert "${{" not in step["run"], "an input would be a part of the script"
            variables = {name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: inputs[match[1]], text)
                         for name, text in step["env"].items()}
            done = run("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"], cwd=self.folder,
                       GITHUB_STEP_SUMMARY=str(self.summary), GITHUB_OUTPUT=str(self.output),
                       GITHUB_ACTIONS="true", **variables)
            if done.returncode != 0:
                break
        return done


def test_the_action_shows_a_summary_and_fails_for_a_tampered_model(models):
    action = Action(models)
    good = action(models="good.safetensors\n", policy="policy.toml")
    assert good.returncode == 0, good.stderr
    assert "1 target" in action.summary.read_text()
    bad = action(models="good.safetensors\nbad.safetensors\n", policy="policy.toml")
    assert bad.returncode == 1
    assert "bad.safetensors: tampered" in bad.stdout
    assert "bad\\.safetensors" in action.summary.read_text()
    assert action.output.read_text() == "exit-code=0\nexit-code=1\n"
    with_key = action(models="good.safetensors", pub="vendor.pub", sarif="results.sarif")
    assert with_key.returncode == 0, with_key.stderr
    assert yaml.safe_load((models / "results.sarif").read_text())["version"] == "2.1.0"


def test_the_action_takes_its_inputs_for_texts(models):
    hostile = '$(touch injected) `touch injected` "; touch injected; #'
    done = Action(models)(models=hostile, policy="policy.toml")
    assert done.returncode == 3
    assert not (models / "injected").exists()
    assert Action(models)(models="").returncode == 2


def test_every_output_of_the_action_is_one_of_a_step():
    definition = yaml.safe_load((ROOT / ".github/actions/modelseal-check/action.yml").read_text())
    steps = {step["id"] for step in definition["runs"]["steps"]}
    for output in definition["outputs"].values():
        assert re.fullmatch(r"\$\{\{ steps\.([\w-]+)\.outputs\.[\w-]+ \}\}", output["value"])[1] in steps


def test_units_are_as_systemd_wants_them_and_as_modelseal_does(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze")
    for source in sorted((ROOT / "examples/systemd").glob("*.service")):
        text = source.read_text().replace("/usr/local/bin/modelseal", shutil.which("modelseal"))
        unit = tmp_path / source.name
        unit.write_text(text)
        verified = run("systemd-analyze", "verify", "--man=no", str(unit), cwd=tmp_path)
        assert verified.returncode == 0 and not verified.stderr, verified.stderr
        # In tenths: 10 is the worst.
        exposure = run("systemd-analyze", "security", "--offline=yes", "--threshold=20", str(unit), cwd=tmp_path)
        assert exposure.returncode == 0, exposure.stdout
        command = re.search(r"^ExecStart=\S+ (.*?[^\\])$", text, re.M | re.S)[1].replace("\\\n", " ").split()
        words, options = command[:2], {word for word in command if word.startswith("--")}
        known = run("modelseal", *words, "--help-all", cwd=tmp_path).stdout
        assert options and all(re.search(rf"(^|[\s,]){option}\b", known) for option in options), known
