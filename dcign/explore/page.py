"""The page's files."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"


def index_html() -> str:
    """Return the page."""
    return (STATIC / INDEX).read_text(encoding="utf-8")


def script_hashes() -> list[str]:
    """Return the hashes of the scripts that are inside the page, as a content security policy names them."""
    bodies = re.findall(r"<script[^>]*>([^<]+)</script>", index_html())
    return [f"sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}" for body in bodies]
