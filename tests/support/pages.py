"""The documentation pages, as tests read them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def python_blocks(page: Path) -> list[str]:
    """Return the Python code blocks of a page that stand outside of lists."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S)


def commands(page: Path) -> list[str]:
    """Return the lines of `dcign` in the indented code blocks of a page, in order, without comments and redirection."""
    lines = re.findall(r"^ {4}(dcign .*)$", page.read_text(), re.M)
    return [re.split(r"\s+[#>]|\s{2,}#", line)[0].strip() for line in lines]
