"""`make bench`: every figure, each beside its baseline. The whole path is measured on a product that is started for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.stack import Stack

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    for module in ("bench.encoder", "bench.engine", "bench.search", "bench.publish", "bench.clocks", "bench.tickets"):
        print(f"\n▸ {module}", flush=True)
        subprocess.run([sys.executable, "-m", module], cwd=ROOT, check=True)
    print("\n▸ bench.path", flush=True)
    stack = Stack(ROOT / "var" / "bench")
    stack.forget()
    stack.start()
    try:
        subprocess.run([sys.executable, "-m", "bench.path", "--url", stack.url], cwd=ROOT, check=True)
    finally:
        stack.stop()
    print("\n▸ bench.channels", flush=True)
    subprocess.run([sys.executable, "-m", "bench.channels", "ack", "rate"], cwd=ROOT, check=True)
    print("\n▸ bench.year", flush=True)
    subprocess.run([sys.executable, "-m", "bench.year"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
