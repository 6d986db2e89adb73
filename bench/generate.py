"""Compile protos/ for the Python references into bench/.generated."""

from pathlib import Path

import grpc_tools
from grpc_tools import protoc

BENCH = Path(__file__).parent
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"
PROTOS = BENCH.parent / "protos"
OUT = BENCH / ".generated"

OUT.mkdir(exist_ok=True)
files = [str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto")]
code = protoc.main(["protoc", f"-I{PROTOS}", f"-I{WELL_KNOWN}", f"--python_out={OUT}", f"--grpc_python_out={OUT}", *files])
if code != 0:
    raise SystemExit(code)
