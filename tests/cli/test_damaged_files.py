"""Whatever bytes a file holds, every command ends with an answer or with one line that says what is wrong."""

import os

import damaged_bytes
import pytest
from checked_run import FORMATS, assert_ends_well, assert_refused, etalon, temporary_files

INSPECTED = [
    "tiny_portable.pte", "tiny_xnnpack.pte", "state.pte", "external.ptd", "tiny.bpte", "tiny_cnn.pt2", "dynamic.pt2",
    "tiny_portable.etdump", "tiny_xnnpack.etrecord", "f4.npy",
]  # fmt: skip

# (what the file is handed to, the sample)
READERS = [("inspect", name) for name in INSPECTED] + [
    ("run", "tiny_portable.pte"),
    ("run", "state.pte"),
    ("export", "tiny_cnn.pt2"),
    ("export", "dynamic.pt2"),
    ("analyze", "tiny_portable.etdump"),
    ("report", "tiny_xnnpack.etdump"),
]


def read_with(command, path, folder):
    extra = {"export": ["-o", folder / "out.pte"], "inspect": ["--json"], "analyze": ["--json"]}.get(command, [])
    return etalon(command, path, *extra, "--quiet")


@pytest.mark.parametrize("command", ["inspect", "run", "export", "profile", "analyze", "report", "validate"])
class TestNoFile:
    def test_a_missing_file_is_named(self, command, tmp_path):
        assert_refused(etalon(command, tmp_path / "absent.pte"), mentions=["absent.pte"])

    def test_a_pipe_is_not_waited_for(self, command, tmp_path):
        os.mkfifo(tmp_path / "pipe.pte")
        assert_refused(etalon(command, tmp_path / "pipe.pte", cwd=tmp_path), mentions=["pipe.pte"])

    def test_a_device_is_refused(self, command, tmp_path):
        assert_refused(etalon(command, "/dev/zero", cwd=tmp_path), mentions=["/dev/zero"])

    def test_an_empty_name_is_refused(self, command, tmp_path):
        assert_refused(etalon(command, "", cwd=tmp_path))

    def test_a_very_long_name_is_refused(self, command, tmp_path):
        assert_refused(etalon(command, "x" * 5000, cwd=tmp_path))

    def test_a_folder_without_results_is_refused(self, command, tmp_path):
        (tmp_path / "folder").mkdir()
        end = etalon(command, tmp_path / "folder", cwd=tmp_path)
        if command == "validate":
            assert end.code in (1, 2)
        else:
            assert_refused(end, mentions=["folder"])


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strangers")
    paths = {}
    for name, content in damaged_bytes.strangers().items():
        paths[name] = folder / f"{name.replace(' ', '_')}.bin"
        paths[name].write_bytes(content)
    return paths


@pytest.mark.parametrize("command", ["inspect", "run", "export", "profile", "analyze", "report", "validate"])
def test_files_of_another_kind_are_refused(command, strangers, tmp_path):
    for name, path in strangers.items():
        end = etalon(command, path, "--quiet", cwd=tmp_path)
        if command == "profile" and end.code == 3:  # the runner is what reads the program, and refuses it
            assert_refused(end, 3)
        else:
            assert end.code == 2, f"{command} of {name}: exit code {end.code}\n{end.err}"
            assert_refused(end)
    assert temporary_files(tmp_path) == []


@pytest.mark.parametrize("command, sample", READERS)
def test_cut_off_files_are_refused(command, sample, tmp_path):
    path = tmp_path / sample
    for label, content in damaged_bytes.truncations((FORMATS / sample).read_bytes()):
        path.write_bytes(content)
        end = read_with(command, path, tmp_path)
        assert end.code == 2, f"{label}: exit code {end.code}\n{end.err}"
        assert_refused(end, mentions=[sample])
        assert temporary_files(tmp_path) == []


@pytest.mark.parametrize("command, sample", READERS)
def test_flipped_bytes_are_survived(command, sample, tmp_path):
    content = (FORMATS / sample).read_bytes()
    path = tmp_path / sample
    for _, damaged in damaged_bytes.flips(content, sample) + damaged_bytes.huge_words(content, sample):
        path.write_bytes(damaged)
        assert_ends_well(read_with(command, path, tmp_path))
        assert temporary_files(tmp_path) == []


@pytest.mark.parametrize("sample", ["tiny_cnn.pt2", "dynamic.pt2"])
def test_flipped_bytes_inside_an_archive_are_survived(sample, tmp_path):
    """Damage behind the checksums: entries are changed and packed again, so that decoders see them."""
    content = (FORMATS / sample).read_bytes()
    path = tmp_path / sample
    for i in range(24):

        def change(name, data, i=i):
            return damaged_bytes.flips(data, f"{sample}-{name}-{i}", 1)[0][1] if data else data

        path.write_bytes(damaged_bytes.rezipped(content, change))
        assert_ends_well(read_with("inspect", path, tmp_path))
        assert_ends_well(read_with("export", path, tmp_path))


@pytest.mark.parametrize("sample", ["tiny_cnn.pt2", "tiny_xnnpack.etrecord"])
def test_archives_without_one_of_their_entries_are_survived(sample, tmp_path):
    content = (FORMATS / sample).read_bytes()
    names = []
    damaged_bytes.rezipped(content, lambda name, data: names.append(name))
    path = tmp_path / sample
    for missing in names:
        path.write_bytes(damaged_bytes.rezipped(content, lambda n, d, m=missing: None if n == m else d))
        assert_ends_well(read_with("inspect", path, tmp_path))
        if sample.endswith(".pt2"):
            assert_ends_well(read_with("export", path, tmp_path))


def test_numbers_of_a_model_that_became_hostile_are_survived(tmp_path):
    """Sizes, strides and arguments of the graph's JSON, replaced one kind at a time."""
    content = (FORMATS / "tiny_cnn.pt2").read_bytes()
    path = tmp_path / "hostile.pt2"
    numbers = ["-1", "0", str(2**63 - 1), str(-(2**63)), str(2**32), "1e308", '"x"', "null", "[]"]
    for number in numbers:
        for key in ('"as_int": ', '"dtype": ', '"storage_offset": '):

            def change(name, data, key=key, number=number):
                if not name.endswith(".json"):
                    return data
                parts = data.decode().split(key)
                if len(parts) == 1:
                    return data
                changed = [p if i == 0 else number + p.lstrip("-0123456789") for i, p in enumerate(parts)]
                return key.join(changed).encode()

            path.write_bytes(damaged_bytes.rezipped(content, change))
            assert_ends_well(read_with("export", path, tmp_path))


@pytest.mark.parametrize("command", ["analyze", "report", "validate", "profile"])
def test_damaged_run_folders_are_survived(command, samples, run_dir):
    """Every file of a finished run in turn: missing, empty, cut, flipped, a folder."""
    args = [samples.program, "--runs", 4, "--warmup", 1, "-o", run_dir] if command == "profile" else [run_dir]
    files = [f for f in run_dir.rglob("*") if f.is_file() and f.suffix in (".json", ".etdump", ".csv")]
    for file in sorted(files):
        content = file.read_bytes()
        damages = [b"", content[: len(content) // 2], b"[]", b'{"schema": "etalon.manifest/1", "results": 7}']
        if command != "profile":
            damages += [damaged for _, damaged in damaged_bytes.flips(content, file.name, 10)]
        for damaged in damages:
            file.write_bytes(damaged)
            assert_ends_well(etalon(command, *args, "--quiet"))
        file.unlink(missing_ok=True)
        assert_ends_well(etalon(command, *args, "--quiet"))
        file.write_bytes(content)
    assert temporary_files(run_dir) == []


def test_a_damaged_recording_is_a_defect_of_the_folder(run_dir):
    recording = next(run_dir.rglob("*.etdump"))
    recording.write_bytes(recording.read_bytes()[:100])
    end = etalon("validate", run_dir)
    assert end.code == 1
    assert recording.name in end.out
