"""The demo's report as a table and as JSON."""

import json
import textwrap
from pathlib import Path
from typing import Any

COLUMNS = (
    ("tenant", "tenant", "{}"),
    ("rows", "rows", "{}"),
    ("train_seconds", "train s", "{:.0f}"),
    ("exact_match_base", "EM base", "{:.3f}"),
    ("exact_match_first", "EM first", "{:.3f}"),
    ("exact_match_adapter", "EM adapter", "{:.3f}"),
    ("exact_match_unseen", "EM unseen", "{:.3f}"),
    ("rouge_l_base", "RL base", "{:.3f}"),
    ("rouge_l_adapter", "RL adapter", "{:.3f}"),
    ("judge_score", "judge", "{:.2f}"),
    ("expert_grade", "expert", "{:.2f}"),
    ("cost_usd", "cost USD", "{:.4f}"),
)

RULE = "The judge is a rule that compares answers with the reference (1 to 5), not a language model."


def table(tenants: list[dict[str, Any]], *, legend: str) -> str:
    """The figures, one line per tenant, followed by each tenant's live answers, verdict and evidence pack.

    `legend` explains the figures; its {judge} becomes a sentence about the judge. Columns that no tenant has are left
    out.
    """
    columns = [column for column in COLUMNS if all(column[0] in row for row in tenants)]
    lines = [[title for _, title, _ in columns]]
    lines += [[form.format(row[key]) for key, _, form in columns] for row in tenants]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    for row in tenants:
        text += ["", f"{row['tenant']}: live answers of the gateway to a held-out prompt"]
        for label in ("prompt", "answer_base", "answer_adapter", "reference"):
            text.append(_shown(label.replace("answer_", ""), row[label]))
        text += [_shown(label, row[label]) for label in ("canary", "verdict", "pack") if row[label]]
    judge = tenants[0]["judge"] if tenants else ""
    return "\n".join([*text, "", textwrap.fill(legend.format(judge=f"The judge is {judge}." if judge else RULE), 120)])


def write(
    path: Path, tenants: list[dict[str, Any]], total_seconds: float, errors: dict[str, str], *, base_model: str
) -> None:
    """Write `{"ok", "base_model", "total_seconds", "tenants": [...], "errors": {tenant: text}}` to `path`."""
    ok = not errors and all(row["gain_is_real"] for row in tenants)
    document = {
        "ok": ok,
        "base_model": base_model,
        "total_seconds": round(total_seconds, 1),
        "tenants": tenants,
        "errors": errors,
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _shown(label: str, text: str) -> str:
    shown = textwrap.shorten(" ".join(text.split()), 160, placeholder=" ...")
    return f"  {label:>9}: {shown or '(nothing)'}"
