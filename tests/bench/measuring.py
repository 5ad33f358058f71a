"""Runs commands and says what they cost: seconds, processor time, peak memory; and what machine that was on."""
import dataclasses
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time

TIME = shutil.which("time", path="/usr/bin")  # GNU time: the memory of a command alone, not of the Python that started it


@dataclasses.dataclass
class Cost:
    wall: float  # seconds
    cpu: float  # user and system
    peak: int  # bytes; 0 where GNU time is missing
    code: int
    said: str  # on standard error


def run(command, cwd=None, stdin=None):
    """One run of a list of words; its output is thrown away."""
    with tempfile.TemporaryFile() as errors, tempfile.NamedTemporaryFile() as memory, open(stdin or os.devnull, "rb") as source:
        words = [str(word) for word in command]
        if TIME:
            words = [TIME, "-q", "-f", "%M", "-o", memory.name, "--", *words]
        begin = time.perf_counter()
        child = subprocess.Popen(words, cwd=cwd, stdin=source, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()
        peak = memory.read().decode().split()
        return Cost(wall, usage.ru_utime + usage.ru_stime, int(peak[-1]) * 1024 if peak else 0, child.returncode, said)


class Failed(Exception):
    pass


def must(command, cwd=None):
    """A step of the preparation."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def median_cost(costs):
    return Cost(statistics.median(c.wall for c in costs), statistics.median(c.cpu for c in costs),
                max(c.peak for c in costs), max(c.code for c in costs), "")


def processors():
    return len(os.sched_getaffinity(0))


def cpu_name():
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def memory_bytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0].strip() if lines else ""


def machine():
    return {"processor": cpu_name(), "processors": processors(), "memory_bytes": memory_bytes(),
            "kernel": platform.release(), "python": platform.python_version(), "load": round(os.getloadavg()[0], 1)}
