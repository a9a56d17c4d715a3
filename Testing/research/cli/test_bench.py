"""``vsclick bench`` on a small examination, with real child processes."""

import json

import pytest
from VSClickCorrectLib.cli.main import main


@pytest.mark.long
def test_bench_measures_and_writes_page_json_and_charts(bright_models, tmp_path, capsys, monkeypatch):
    # To compile a network takes a minute.
    monkeypatch.setattr("VSClickCorrectResearch.benchmark.variants.shutil.which", lambda name: None)
    output = tmp_path / "results"
    arguments = ["bench", "--sizes", "72x64x16", "--repeats", "2", "--clicks", "6", "--threads", "1"]
    arguments += ["--without-comparisons", "--models", str(bright_models), "--output", str(output)]
    assert main(arguments) == 0
    values = json.loads((output / "benchmark.json").read_text(encoding="utf-8"))
    (size,) = values["sizes"]
    assert size["size"] == "72×64×16"
    counts = {row["what"]: len(row["values"]) for row in size["rows"]}
    assert counts["click"] == counts["undo"] == 2
    assert counts["clicks of a session, in order"] == 6
    assert [one["name"] for one in values["networks"]][-1] == "mend"
    assert values["machine"]["threads"] == "1"
    page = (output / "benchmark.md").read_text(encoding="utf-8")
    assert page in capsys.readouterr().out
    assert {path.suffix for path in output.iterdir()} == {".json", ".md", ".png"}


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--sizes", "512x512"], "'512x512' is not a size like 512x512x120"),
        (["--sizes", "512x512x0"], "1 or more"),
        (["--clicks", "0"], "1 or more"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(arguments, sentence, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "--output", str(tmp_path / "there"), *arguments])
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "there").exists()


def test_an_output_that_is_a_file_is_refused_before_anything_is_measured(tmp_path, capsys):
    path = tmp_path / "file"
    path.write_text("mine", encoding="utf-8")
    assert main(["bench", "--output", str(path)]) == 2
    assert "cannot be made" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("package", ["matplotlib", "slicer"])
def test_a_package_that_is_missing_is_named_before_anything_is_measured(
    package, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(
        "VSClickCorrectResearch.benchmark.run.find_spec", lambda name: None if name == package else object()
    )
    assert main(["bench", "--output", str(tmp_path)]) == 2
    assert f"The benchmark needs {package}; install vsclickcorrect[bench]." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_files_of_somebody_else_s_are_not_written_over(tmp_path, capsys):
    (tmp_path / "click.png").write_bytes(b"a picture")
    assert main(["bench", "--output", str(tmp_path)]) == 2
    assert "click.png is there and this command did not write it" in capsys.readouterr().err
    assert main(["bench", "--t1ce", str(tmp_path / "click.png"), "--output", str(tmp_path)]) == 2
    assert "click.png, which is to be read; choose another folder." in capsys.readouterr().err
