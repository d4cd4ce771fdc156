"""The other side of bench/ingest.py, run in an environment with `datasets`: load a file, then check every row.

Usage: python plain_validator.py FILE CACHE_FOLDER. Prints its findings as a JSON object. The checks are those of the
data preparation example that OpenAI published for fine-tuning. Like a plain script, it also hashes rows, drops repeated
ones and counts lengths.
"""

import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from datasets import disable_progress_bars, load_dataset  # type: ignore[import-not-found,unused-ignore]

ROLES = ("system", "user", "assistant")
KEYS = ("role", "content", "name", "function_call", "weight")
FORMATS = {".jsonl": "json", ".csv": "csv", ".parquet": "parquet"}
PAIRS = (("prompt", "completion"), ("instruction", "output"), ("text", "label"))


def as_chat(row: Any) -> Any:
    """The row as messages, whatever its columns."""
    for asked, answer in PAIRS:
        if asked in row and answer in row:
            return {
                "messages": [
                    {"role": "user", "content": row[asked]},
                    {"role": "assistant", "content": row[answer]},
                ]
            }
    return row


def problems(row: Any) -> list[str]:
    """The codes of a row's problems."""
    if not isinstance(row, dict):
        return ["data_type"]
    messages = row.get("messages")
    if not messages:
        return ["missing_messages_list"]
    found = []
    for message in messages:
        if "role" not in message or "content" not in message:
            found.append("message_missing_key")
        if any(key not in KEYS for key in message):
            found.append("message_unrecognized_key")
        if message.get("role") not in ROLES:
            found.append("unrecognized_role")
        content = message.get("content")
        if not content or not isinstance(content, str):
            found.append("missing_content")
    if not any(message.get("role") == "assistant" for message in messages):
        found.append("example_missing_assistant_message")
    return found


def main(path: str, cache: str) -> None:
    """Check the file."""
    disable_progress_bars()
    rows = load_dataset(FORMATS[Path(path).suffix], data_files=path, split="train", cache_dir=cache)
    errors: Counter[str] = Counter()
    seen: set[str] = set()
    prompts, answers = [], []
    for row in map(as_chat, rows):
        found = problems(row)
        if found:
            errors.update(found)
            continue
        messages = row["messages"]
        digest = hashlib.sha256(json.dumps(messages, ensure_ascii=False).encode()).hexdigest()
        if digest in seen:
            continue
        seen.add(digest)
        prompts.append(sum(len(message["content"]) for message in messages[:-1]))
        answers.append(len(messages[-1]["content"]))
    profile = {}
    for name, lengths in (("prompt", prompts), ("answer", answers)):
        values = np.array(lengths)
        profile[name] = [*np.percentile(values, [50, 90, 99]).tolist(), *np.histogram(values, 24)[0].tolist()]
    print(json.dumps({"rows": len(seen), "errors": errors.total(), "profile": profile}))


if __name__ == "__main__":
    main(*sys.argv[1:])
