"""`python3 -m unittest discover -t tests/sandbox -s tests/sandbox/pods/tests`, which `make test-fast` does."""

import sys
from pathlib import Path

PODS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PODS.parent), str(PODS / "players")]
