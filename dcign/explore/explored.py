"""What is explored: a run, with the data set that it was trained on if that is at hand, or a data set alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dcign.data.dataset.manifest import NAME as DATA_SET_FILE
from dcign.errors import DcignError
from dcign.explore.data_browser import DataBrowser
from dcign.explore.network import ExploredRun
from dcign.explore.truth import TruthRenderer
from dcign.storage.paths import to_path
from dcign.trained.shipped import DEFAULT, network_folder
from dcign.trained.trained_run import TrainedRun

Json = dict[str, Any]
NOT_RENDERED = "the data set was not made by dcign render, so there is no renderer that draws its pictures."


@dataclass(frozen=True, eq=False)
class Explored:
    """network, data and truth: None where there is none. missing: a sentence that says why the truth is missing."""

    network: ExploredRun | None
    data: DataBrowser | None
    truth: TruthRenderer | None
    missing: str = ""

    @classmethod
    def open(cls, folder: Path | None, data: Path | None = None, device: str = "cpu") -> Explored:
        """Open a run or a data set; without a folder, the network of the package.

        data: where the run's data set is now.

        Raises TrainingError or DataError if the folder holds neither, or if the run was not evaluated.
        """
        folder = network_folder(folder or DEFAULT)
        if (folder / DATA_SET_FILE).exists():
            browser = DataBrowser(folder)
            return cls(None, browser, *_truth_of(browser))
        run = TrainedRun.open(folder, device)
        _ = run.calibrations, run.codec
        if run.exported is not None and data is None:
            return cls(ExploredRun(run), None, None, "the network came without its data set.")
        try:
            run.data(data)
            browser = DataBrowser(to_path(data or run.configuration.data))
            people = browser.people()
            truth, missing = _truth_of(browser, run.description.size)
        except DcignError as error:
            if data is not None:
                raise
            return cls(ExploredRun(run), None, None, str(error))
        return cls(ExploredRun(run, people), browser, truth, missing)

    @cached_property
    def description(self) -> Json:
        """What the page needs to know when it opens."""
        found: Json = {"run": None, "data": None, "missing": self.missing, "examples": []}
        if self.data is not None:
            found["data"] = self.data.describe()
        if self.network is not None:
            found["run"] = self.network.describe()
            named = self.data.examples() if self.data is not None else []
            pictures = self.network.encoded_examples(named) if named else self.network.shipped_examples()
            found["examples"] = pictures or self.network.drawn_examples()
        return found


def _truth_of(browser: DataBrowser, size: int = 0) -> tuple[TruthRenderer | None, str]:
    """Return the renderer of a data set, or None and a sentence that says why there is none."""
    if browser.rendered:
        return TruthRenderer(browser.dataset.folder, size), ""
    return None, NOT_RENDERED
