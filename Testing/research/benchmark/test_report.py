"""The page, the JSON and the charts of a benchmark."""

import json

import pytest
from made_benchmark import made_benchmark
from VSClickCorrectLib.errors import StorageError
from VSClickCorrectResearch.benchmark.charts import save_charts
from VSClickCorrectResearch.benchmark.report import markdown

CHARTS = {"click.png", "growth.png", "session.png", "comparisons.png", "limit.png"}


@pytest.fixture
def results():
    return made_benchmark()


def test_page_names_command_machine_and_versions(results):
    page = markdown(results)
    assert page.startswith("# Benchmark\n\n`vsclick bench --output there`\n\n- processor: a fast one\n")
    assert "- torch: 2.13.0\n" in page


@pytest.mark.parametrize(
    "line",
    [
        "| Python alone | 30.0 ms | 22.0–38.0 | 3 |",
        "| what | unit | 384×384×40 | 512×512×240, slices of 0.75 mm |",
        "| cut | ms | 2.00 (2.00–2.00) | 3.00 (3.00–3.00) |",
        "| peak memory, all of it | MB | 1200 | 1800 |",
        "| 384×384×40 | 350 | 10.0 | 15.0 | 1.50 |",
        # 22 s against 1.1 s; 100 ms against 2 ms.
        "| initial mask | 1100 ms | 22000 ms | 20.0× | ≥ 3×: met | DSC 0.9975 |",
        "| undo | 2.00 ms | 100 ms | 50.0× | ≥ 100×: missed | DSC 1.0000 |",
        "- undo: Same nodes.",
        "- MONAI is not installed.",
        "| vs-corrector-3 | 1×20×48×48 | 0.90 | 10.0 | 90.0 | 1 | 150 | 60% |",
        "| 2 threads | 18.0 | 1.80 |",
    ],
)
def test_page_has_the_line(results, line):
    assert line in markdown(results).splitlines()


def test_the_clicks_of_a_long_session_are_in_its_own_table_only(results):
    assert "in order" not in markdown(results)


def test_what_was_not_measured_has_no_heading(results):
    results.comparisons, results.missing, results.variants, results.networks = [], [], [], []
    page = markdown(results)
    assert "## Side by side" not in page
    assert "## Against" not in page
    assert "## Other" not in page


def test_json_holds_every_value(results):
    values = json.loads(json.dumps(results.to_json()))
    assert values["sizes"][1]["size"] == "512×512×240, slices of 0.75 mm"
    assert values["sizes"][0]["rows"][0] == {"what": "cut", "unit": "ms", "values": [2.0, 2.0, 2.0]}
    assert values["comparisons"][0]["reference_seconds"] == [11.0, 33.0]
    assert values["networks"][1]["gigaflop"] == 0.9


def test_there_is_a_chart_of_each_part(results, tmp_path):
    save_charts(tmp_path, results)
    assert {path.name for path in tmp_path.iterdir()} == CHARTS
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")


def test_no_chart_of_what_was_not_measured(results, tmp_path):
    results.comparisons, results.variants = [], []
    save_charts(tmp_path, results)
    assert {path.name for path in tmp_path.iterdir()} == {"click.png", "growth.png", "session.png"}


def test_charts_for_a_folder_that_is_not_there_are_refused_in_a_sentence(results, tmp_path):
    with pytest.raises(StorageError, match="cannot write into"):
        save_charts(tmp_path / "missing", results)
