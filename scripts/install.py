"""Set up everything that needs no database: two environments from their lock files, and the web parts.

Plain Python 3.11, no packages: it runs before there are any. Each step is skipped when its inputs have not changed.
    python3.11 scripts/install.py [--test]
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "var" / "logs"
PRODUCT, ENGINE = ROOT / ".venv", ROOT / ".venv-engine"
NEEDED_GIB = 8
OLDEST_NODE = (20, 19)


class Failed(Exception):
    """Set-up cannot go on; the message says what to do."""


def say(text: str) -> None:
    print(text, flush=True)


def digest(paths: Iterable[Path]) -> str:
    made = hashlib.sha256(sys.version.encode())
    for path in sorted(paths):
        made.update(str(path.relative_to(ROOT)).encode())
        made.update(path.read_bytes())
    return made.hexdigest()


def step(title: str, stamp: Path, inputs: Iterable[Path], work: Callable[[], None]) -> None:
    """Do `work` unless `stamp` says that it was done with these very inputs."""
    mark = digest(inputs)
    if stamp.exists() and stamp.read_text() == mark:
        say(f"✓ {title} (up to date)")
        return
    say(f"▸ {title} …")
    started = time.monotonic()
    work()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(mark)
    say(f"✓ {title} ({time.monotonic() - started:.0f} s)")


def call(command: list[str], log_name: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run `command`, its output to a log; say every few seconds how far it is. Raises Failed with the end of the log."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"install-{log_name}.log"
    started = said = time.monotonic()
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        for line in process.stdout or ():
            output.write(line)
            if time.monotonic() - said > 5 and line.strip():
                said = time.monotonic()
                say(f"    {said - started:4.0f} s  {line.strip()[:100]}")
    if process.returncode:
        tail = "\n".join(log.read_text(encoding="utf-8").splitlines()[-15:])
        raise Failed(f"{' '.join(command[:4])} … failed; the end of {log}:\n{tail}")


def environment(home: Path, lock: Path, log_name: str, *options: str) -> None:
    if home.exists():
        shutil.rmtree(home)
    call([sys.executable, "-m", "venv", str(home)], log_name)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    call([*pip, *options, "-r", str(lock)], log_name)


def product() -> None:
    environment(PRODUCT, ROOT / "locks" / "product.txt", "product")
    pip = [str(PRODUCT / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    call([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], "product-self")


def engine() -> None:
    # Rasa 3.6.21 declares Python < 3.11 but runs on it; the lock holds a set that was resolved and tried.
    environment(ENGINE, ROOT / "locks" / "engine.txt", "engine", "--no-deps", "--ignore-requires-python")


def tests() -> None:
    pip = [
        str(PRODUCT / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
    ]
    call([*pip, "-r", str(ROOT / "locks" / "test.txt")], "test")


def node_directory() -> Path | None:
    """Where a fitting Node.js lies; None when there is none on the path."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip("v\n ")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    return Path(node).parent if numbers >= OLDEST_NODE else None


def npm(*arguments: str, log_name: str) -> None:
    directory = node_directory()
    if directory is None:
        # No Node.js here: a wheel brings one into the product's environment.
        pip = [str(PRODUCT / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
        call([*pip, "-r", str(ROOT / "locks" / "node.txt")], "node")
        directory = PRODUCT / "bin"
    path = f"{directory}{os.pathsep}{os.environ['PATH']}"
    call([str(directory / "npm"), *arguments], log_name, ROOT / "web", {"PATH": path})


def web_sources() -> list[Path]:
    return [
        path
        for path in (ROOT / "web").rglob("*")
        if path.is_file() and not {"node_modules", "dist"} & set(path.relative_to(ROOT).parts)
    ]


def check() -> None:
    if sys.version_info[:2] != (3, 11):
        raise Failed(
            f"FSSC Desk needs Python 3.11, this is {sys.version.split()[0]}: PYTHON=/path/to/python3.11 make run"
        )
    if not (ENGINE.exists() and PRODUCT.exists()):
        free = shutil.disk_usage(ROOT).free / 2**30
        if free < NEEDED_GIB:
            raise Failed(
                f"only {free:.1f} GiB free on the disk of {ROOT}; set-up needs {NEEDED_GIB} GiB. Free some and try again"
            )


def main() -> int:
    try:
        check()
        lock = ROOT / "locks"
        step("The product's environment", PRODUCT / ".stamp", [lock / "product.txt", ROOT / "pyproject.toml"], product)
        if "--fast" not in sys.argv:
            step("The dialogue engine's environment", ENGINE / ".stamp", [lock / "engine.txt"], engine)
            package = [ROOT / "web" / "package.json", ROOT / "web" / "package-lock.json"]
            step(
                "The web parts' packages",
                ROOT / "web" / "node_modules" / ".stamp",
                package,
                lambda: npm("ci", "--no-fund", "--no-audit", log_name="npm"),
            )
            step(
                "The web parts: widget, demo, console",
                ROOT / "web" / "dist" / ".stamp",
                web_sources(),
                lambda: npm("run", "build", log_name="web"),
            )
        if {"--test", "--fast"} & set(sys.argv):
            step("What the tests need", PRODUCT / ".stamp-test", [lock / "test.txt", lock / "product.txt"], tests)
    except Failed as failure:
        say(f"✗ {failure}")
        return 1
    except OSError as failure:
        say(
            f"✗ {failure.strerror or failure}: {failure.filename or ''} — free disk space or check permissions, then try again"
        )
        return 1
    except KeyboardInterrupt:
        say("✗ Interrupted; run the same command again to go on.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
