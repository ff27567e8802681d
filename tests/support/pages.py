"""The documentation pages, as tests read them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def python_blocks(page: Path) -> list[str]:
    """Return the Python code blocks of a page that stand outside of lists."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S)
