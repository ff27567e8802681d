"""Every metric of a table of codes, of any model.

In: latents and factors as arrays or as a .npz, such as one of `dcign encode`. Out: a report with intervals and chance
levels. Never imports a network, a report page, or a run.
"""

from __future__ import annotations

from dcign.measure.code_table import CodeTable, own_latents, read_code_table
from dcign.measure.measurement import measure

__all__ = ["CodeTable", "measure", "own_latents", "read_code_table"]
