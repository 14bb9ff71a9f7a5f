"""Schemathesis, which others wrote, makes requests after the contract; the local endpoint answers.

What is right and what is wrong by the contract is sent to every route, and so are methods that it
does not have. Schemathesis checks each answer; what it has recorded is verified by ours, events of
streams included.
"""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from recordings import ROOT

from databricks_serving.local import LocalEndpoint
from databricks_serving.testing._cassettes.scrubbing import Scrubber
from databricks_serving.testing._importing.exchange import recordings_of
from databricks_serving.testing._importing.har import exchanges_of
from databricks_serving.testing._verify.checking import Case, check
from databricks_serving.testing._verify.contract import Contract

PROGRAM = Path(sys.executable).with_name("schemathesis")
ROUTES = 14
OPTIONS = [
    "--phases=examples,coverage,fuzzing",
    "--max-examples=15",
    "--seed=1",
    "--generation-database=none",
    "--no-color",
    "--output-sanitize=false",
    "--report=har",
    "--report-preserve-bytes",
    # A model family refuses more than the contract, which is that of all families.
    "--exclude-checks=positive_data_acceptance",
    "--warnings=off",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What Schemathesis prints, and the exchanges that it has recorded."""
    folder = tmp_path_factory.mktemp("schemathesis")
    har = folder / "calls.har"
    # The names in the examples of the contract.
    names = {"databricks-meta-llama-3-3-70b-instruct": "llm/v1/chat"}
    with LocalEndpoint(endpoints=names) as local:
        done = subprocess.run(
            [
                PROGRAM,
                "run",
                ROOT / "openapi" / "serving.yaml",
                f"--url={local.host}",
                f"--header=Authorization: Bearer {local.token}",
                f"--report-har-path={har}",
                *OPTIONS,
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    exchanges = exchanges_of(har.read_text())
    return done, list(recordings_of(exchanges, Scrubber()))


def test_schemathesis_finds_no_failure(run):
    done, _ = run
    assert done.returncode == 0, done.stdout[-6000:]
    assert f"Tested: {ROUTES}" in done.stdout


def test_what_it_has_seen_agrees_with_the_contract_events_included(run):
    _, recordings = run
    contract = Contract.load(None)
    known = [one for one in recordings if contract.route(one.method, one.path.partition("?")[0])]
    findings = [
        str(found)
        for number, one in enumerate(known)
        for found in check(Case(one, f"{number} {one.status} {one.path}"), contract)
        # What is accepted although the contract does not have it is Schemathesis's to say.
        if not found.place.startswith("request")
    ]
    assert findings == []
    statuses = Counter(one.status for one in known)
    assert min(statuses[200], statuses[400]) > 30, statuses
    assert sum(one.stream for one in known) > 5
