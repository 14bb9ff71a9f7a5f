"""What the benchmark makes of its measurements, without measuring anything."""

import asyncio
import json
from xml.etree import ElementTree as ET

import httpx
import pytest
from serving_bench import chart, payloads, report
from serving_bench.__main__ import better, missed, regressions
from serving_bench.growth import exponent, super_linear
from serving_bench.rounds import ratio
from serving_bench.scenarios import SCENARIOS
from serving_bench.server import MAKERS, answer, is_whole
from serving_bench.targets import TARGETS, costs_of, figures
from serving_bench.worker import Cost, Order, at_once, work_of

from databricks_serving.models import EmbeddingResponse

MB = 2**20


def results(factor=0.01):
    """Return results in which ours costs a share of what others do."""
    measured = {
        name: {
            client: [Cost(cpu, cpu, 1000)] * 5
            for client in scenario.clients
            for cpu in [factor if client.startswith("ours") else 1.0]
        }
        for name, scenario in SCENARIOS.items()
    }
    start = {"import": 1.0, "imported": 50 * MB, "constructed": 0.02, "called": 60 * MB}
    ours = {"import": 0.01, "imported": 4 * MB, "constructed": 0.0001, "called": 15 * MB}
    return {
        "rounds": 5,
        "machine": report.machine(),
        "costs": costs_of(measured, {name: one.order for name, one in SCENARIOS.items()}),
        "starting": {
            "ours": ours,
            "openai": start,
            "httpx": start,
            "mlflow": {"import": 1.0, "imported": MB},
        },
        "growth": {"messages": {"1": 1e-4, "10": 2e-4, "100": 1e-3}},
    }


def test_what_is_fast_enough_misses_nothing():
    assert missed(results()) == []


def test_what_is_not_is_named_with_its_figure():
    found = missed(results(factor=0.5))
    assert "small chat, CPU of openai's: 0.5, not at most 0.22" in found
    assert "calls a second, 32 at once, times openai's: 2, not at least 3.5" in found


def regressed(now, before):
    return regressions(figures(now), figures(before))


def test_a_regression_is_a_ratio_that_is_much_worse_than_before():
    assert regressed(results(0.012), results(0.01)) == []
    found = regressed(results(0.014), results(0.01))
    assert "small chat, CPU of openai's: 0.014, and 0.01 before" in found
    assert any("calls a second" in line for line in found)
    assert not any("milliseconds" in line or "MB" in line for line in found)


def test_absolute_figures_are_no_regressions():
    slow = results()
    slow["starting"]["ours"] |= {"constructed": 1.0, "called": 100 * MB}
    assert regressed(slow, results()) == []
    assert len(missed(slow)) == 2


def test_of_two_measurements_the_better_figures_count():
    slow, quick = figures(results(0.02)), figures(results(0.01))
    assert regressions(better(slow, quick), quick) == regressions(better(quick, slow), quick) == []
    assert regressions(better(slow, slow), quick)


def test_costs_are_medians_and_ratios_those_of_rounds():
    assert ratio([1, 2, 9], [10, 10, 10]) == 0.2
    entry = results()["costs"]["events"]["ours"]
    assert entry["cpu"] == pytest.approx(1e-5)
    assert entry["cpu_ratio"] == entry["floor_ratio"] == pytest.approx(0.01)
    assert results()["costs"]["chat"]["ours"]["cpu"] == pytest.approx(0.01 / 300)


def test_growth_in_proportion_is_none():
    assert exponent({"1": 5.0, "10": 10.0, "100": 100.0, "1000": 1000.0}) == pytest.approx(1)
    assert super_linear({"messages": {"1": 1.0, "10": 9.0, "100": 120.0}}) == []
    assert super_linear({"tools": {"1": 1.0, "10": 100.0, "100": 10_000.0}}) == [
        "the cost of tools grows by the power 2.00 of their number"
    ]


def test_the_page_names_every_client_and_every_target():
    page = report.page(results())
    for scenario in SCENARIOS.values():
        assert all(f"| {client} |" in page for client in scenario.clients)
    assert all(target.title in page for target in TARGETS.values())
    assert set(figures(results())) == set(TARGETS)


def test_charts_and_page_are_written(tmp_path):
    report.write(results(), tmp_path)
    for name in ("costs", "growth"):
        root = ET.parse(tmp_path / f"benchmarks-{name}.svg").getroot()  # noqa: S314 - our own
        assert len(root) > 10
    assert (tmp_path / "benchmarks.md").read_text().startswith("# Benchmarks")


def test_a_longer_bar_costs_more():
    drawn = ET.fromstring(chart.bars({"A": {"ours": 1.0, "other": 10.0}}, "us"))  # noqa: S314
    widths = [float(one.get("width")) for one in drawn if one.get("x") == "190" and one.get("fill")]
    assert widths == sorted(widths)
    assert widths[0] < widths[1]


@pytest.mark.parametrize("kind", MAKERS)
def test_answers_are_good_http(kind):
    sent = answer(kind, 3)
    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    if b"content-length" in head:
        assert f"content-length: {len(body)}".encode() in head
        json.loads(body)
    else:
        assert body.endswith(b"\r\n0\r\n\r\n")
        assert body.count(b"data: ") >= 3


def test_vectors_are_the_same_in_both_forms():
    def read(data):
        return EmbeddingResponse.from_dict(json.loads(data.partition(b"\r\n\r\n")[2]))

    floats, packed = read(payloads.vectors(2)), read(payloads.vectors(2, packed=True))
    assert packed.vectors == [pytest.approx(vector) for vector in floats.vectors]


def test_requests_are_whole_with_their_bodies():
    request = httpx.Request("POST", "http://h/bench-chat", json={"a": 1})
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    data = f"POST / HTTP/1.1\r\n{head}\r\n".encode() + request.content
    assert is_whole(data)
    assert not any(is_whole(data[:end]) for end in range(len(data)))
    assert is_whole(b"GET / HTTP/1.1\r\n\r\n")


class Client:
    def __init__(self):
        self.calls = 0
        self.most = self.now = 0

    def chat(self, model):
        self.calls += 1
        return model

    async def stream(self, _model):
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return 7


def test_a_worker_does_what_it_is_told():
    client = Client()
    assert work_of(client, Order("chat", "bench-chat", 5))() == 5
    assert client.calls == 5
    assert asyncio.run(at_once(client, Order("stream", "bench-events-7", 6, 3))) == 42
    assert client.most == 3
