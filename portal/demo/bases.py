"""The base models that the demo can run on, with their tenants and what is required of them."""

import json
from dataclasses import dataclass
from pathlib import Path

from portal.demo.cast import ENGLISH_TENANTS, TENANTS, DemoTenant

SMOLLM2 = "smollm2-135m-instruct"
"""Its folder in var/base-models, which `make base-smollm2` makes."""

TINY_LEGEND = """\
EM: exact match, RL: ROUGE-L, both on held-out rows with names, amounts and dates that were not in training. EM unseen:
exact match on wordings that were not in training. The first version is trained on half of the rows once, the adapter on
all of them three times. {judge} The expert is a script that knows the reference. The base is a tiny model, pretrained
on similar synthetic sentences but not on these tasks; it does not understand English."""

ENGLISH_LEGEND = """\
EM: exact match, RL: ROUGE-L, both on held-out rows, all written by hand and none of them close to a row of training.
The first version is trained on a quarter of the rows once, the adapter on all of them two or three times. {judge} The
expert is a script that knows the reference. The base is SmolLM2-135M-Instruct, which writes fluent English and knows
plain facts but errs often. It is near 0 because nobody told it the answers to choose from: the gain is what the adapter
learnt of the task, not of English."""


@dataclass(frozen=True, kw_only=True)
class DemoBase:
    """A base model as the demo uses it.

    `required_gain` is by how much the adapter's exact match on held-out rows must exceed the base's. `legend` explains
    the report's table; its {judge} is a sentence about the judge. A base with a `folder` is not the site's own one:
    its name is in base-models of the data folder, and its demo has data of its own beside the site's.
    """

    key: str
    tenants: tuple[DemoTenant, ...]
    required_gain: float
    legend: str
    folder: str = ""

    @property
    def report_name(self) -> str:
        """The report's file name."""
        return f"demo-report-{self.key}.json" if self.folder else "demo-report.json"

    def var_folder(self, var: Path) -> Path:
        """Where the demo's site keeps its data, in or at `var`: a site has one base of its own, and one engine."""
        return var / f"demo-{self.key}" if self.folder else var

    def environment(self, var: Path) -> dict[str, str]:
        """Settings of a site whose own base this is. Raises FileNotFoundError if nobody fetched it."""
        if not self.folder:
            return {}
        path = var / "base-models" / self.folder
        title = json.loads((path / "base.json").read_text(encoding="utf-8"))["title"]
        return {"BASE_MODEL_DIR": str(path.resolve()), "BASE_MODEL_NAME": self.folder, "BASE_MODEL_TITLE": title}


TINY = DemoBase(key="tiny", tenants=TENANTS, required_gain=0.80, legend=TINY_LEGEND)
BASES = {
    base.key: base
    for base in (
        TINY,
        DemoBase(key="smollm2", tenants=ENGLISH_TENANTS, required_gain=0.60, legend=ENGLISH_LEGEND, folder=SMOLLM2),
    )
}
"""By what `manage.py demo --base` and `make demo BASE=` call them."""
