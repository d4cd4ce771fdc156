"""The file before the FOCUS project's own validator, in an environment of its own: `make test-focus`.

Not found by `make test`: the validator needs Python 3.12 and half a gigabyte. The newest rules that it brings are those
of 1.2, so columns that came in 1.3 are left out; tests/metering/focus/test_rows.py checks those.
"""

import csv
import io
import re
import subprocess
from pathlib import Path

import pytest

from metering.focus.export import write_focus
from scripts.peers import peer_python
from tests.metering.focus.conftest import OCTOBER
from tests.metering.focus.specification import OF_THE_SPLIT

pytestmark = pytest.mark.django_db

SINCE_1_3 = {*OF_THE_SPLIT, "HostProviderName", "ServiceProviderName"}
ASKED_FOR_ANYWAY = {
    "CommitmentDiscountStatus": None, "InvoiceId": None, "PricingCurrency": "BillingCurrency",
    "PricingCurrencyContractedUnitPrice": "ContractedUnitPrice", "PricingCurrencyEffectiveCost": "EffectiveCost",
    "PricingCurrencyListUnitPrice": "ListUnitPrice",
}  # fmt: skip
"""Columns whose rules are tried even where the criteria exclude them, and the column that each repeats, if any."""

WRONG_RULES = {"InvoiceId-C-005-C"}
"""It demands an invoice of every charge. This site issues none, and then the specification wants null."""

CRITERIA = (
    "ACCOUNT_NAMING_SUPPORTED", "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED",
    "MULTIPLE_PRICING_CATEGORIES_SUPPORTED", "NEGOTIATED_PRICING_SUPPORTED", "PUBLIC_PRICE_LIST_SUPPORTED",
    "REGION_SUPPORTED", "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED", "SUB_ACCOUNT_SUPPORTED", "TAGGING_SUPPORTED",
    "UNIT_PRICING_SUPPORTED", "USAGE_MEASUREMENT_SUPPORTED",
)  # fmt: skip
"""What this site has, in the validator's words."""


def validated(file: bytes, tmp_path: Path) -> str:
    """What the validator says. It ends with status 0 whatever it finds."""
    rows = list(csv.DictReader(io.StringIO(file.decode())))
    path = tmp_path / "focus.csv"
    names = sorted({*rows[0], *ASKED_FOR_ANYWAY} - SINCE_1_3)
    with path.open("w", newline="") as copy:
        writer = csv.DictWriter(copy, names, extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, **{name: row[of] if of else "" for name, of in ASKED_FOR_ANYWAY.items()}})
    python = peer_python("focus")
    # It looks for its rules in the working directory.
    [packages] = python.parent.parent.glob("lib/python3*/site-packages")
    command = [str(python.parent / "focus-validator"), "--data-file", str(path), "--block-download",
               "--validate-version", "1.2", "--applicability-criteria", ",".join(CRITERIA)]  # fmt: skip
    done = subprocess.run(command, cwd=packages, capture_output=True, text=True, timeout=300)
    return done.stdout + done.stderr


def failures(said: str) -> set[str]:
    """The rules that it says are broken; it must have tried many."""
    counted = re.search(r"Pass: (\d+) \| Fail: (\d+)", said)
    assert counted, said[-2000:]
    assert int(counted[1]) > 200
    found = set(re.findall(r"❌ (\S+): FAIL", said))
    assert len(found) == int(counted[2])
    return found - WRONG_RULES


def test_the_file_has_no_faults(october: None, tmp_path: Path) -> None:
    file = io.BytesIO()
    write_focus(file, OCTOBER, only=None)
    assert failures(validated(file.getvalue(), tmp_path)) == set()


def test_a_wrong_value_is_found(october: None, tmp_path: Path) -> None:
    file = io.BytesIO()
    write_focus(file, OCTOBER, only=None)
    wrong = file.getvalue().replace(b",Usage-Based,", b",Sometimes,")
    assert "ChargeFrequency-C-003-M" in failures(validated(wrong, tmp_path))
