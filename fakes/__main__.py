"""The fakes from the command line.

python -m fakes serve [--port-base N] [--host 127.0.0.1] [--seed demo|empty]
python -m fakes load-ubl DIR [--url http://127.0.0.1:8701]
"""

from __future__ import annotations

import argparse
import base64
import http.client
import importlib
import importlib.util
import json
import signal
import sys
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from fakes.kit.clock import FakeClock
from fakes.kit.running import serving
from fakes.kit.server import Fake

VENDORS = ("teamleader", "exact", "octopus", "twinfield")  # the order of their ports
BATCH_BYTES = 4_000_000  # of UBL in one call


def build(clock: FakeClock, seed: str = "empty") -> dict[str, Fake]:
    """Every fake there is, on one clock. One that is not built yet is left out."""
    fakes: dict[str, Fake] = {}
    for vendor in VENDORS:
        if importlib.util.find_spec(f"fakes.{vendor}") is None:
            continue
        package = importlib.import_module(f"fakes.{vendor}")
        if fake_class := getattr(package, f"{vendor.capitalize()}Fake", None):
            fakes[vendor] = fake_class(clock, seed=seed)
    return fakes


def serve(args: argparse.Namespace) -> int:
    """Serve all fakes until interrupted; tell on stdout, in one line of JSON, how to reach them."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    ports = {vendor: args.port_base + n for n, vendor in enumerate(VENDORS)} if args.port_base else None
    fakes = build(FakeClock(), args.seed)
    with serving(fakes, args.host, ports) as urls:
        print(json.dumps({vendor: fake.described(urls[vendor]) for vendor, fake in fakes.items()}), flush=True)
        stop.wait()
    return 0


def load_ubl(args: argparse.Namespace) -> int:
    """Load the UBL documents of a directory into a running Teamleader; tell what was refused, and why."""
    loaded, refused = 0, {}
    files = sorted(path for path in args.dir.rglob("*.xml") if path.is_file())
    if not files:
        print(f"no .xml files in {args.dir}", file=sys.stderr)
        return 2
    for batch in _batches(files):
        body = {"files": {str(p.relative_to(args.dir)): base64.b64encode(p.read_bytes()).decode() for p in batch}}
        request = urllib.request.Request(
            f"{args.url.rstrip('/')}/_fake/ubl", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request) as answer:
                result = json.load(answer)
        except (OSError, http.client.HTTPException) as error:  # a connection that breaks in the middle is no URLError
            print(f"{args.url} does not take UBL: {error}", file=sys.stderr)
            return 2
        loaded += result["loaded"]
        refused |= result["refused"]
    print(json.dumps({"files": len(files), "loaded": loaded, "refused": refused}, indent=2))
    return 0


def _batches(files: Sequence[Path]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    size = 0
    for path in files:
        if batch and size + path.stat().st_size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += path.stat().st_size
    if batch:
        yield batch


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m fakes", description="Fake accounting vendors to build against.")
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("serve", help="serve all fakes until interrupted")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port-base", type=int, metavar="N", help=f"ports N to N+3 for {', '.join(VENDORS)}")
    command.add_argument("--seed", default="demo", choices=("demo", "empty"), help="what they hold (default: demo)")
    command.set_defaults(run=serve)

    command = commands.add_parser("load-ubl", help="load a directory of UBL documents into a running Teamleader")
    command.add_argument("dir", type=Path)
    command.add_argument("--url", default="http://127.0.0.1:8701", help="of the Teamleader fake (default: %(default)s)")
    command.set_defaults(run=load_ubl)

    args = parser.parse_args(argv)
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
