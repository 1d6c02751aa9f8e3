"""What is written: to files, to a full disk, to nobody; and that it is the same every time."""

import json
import os
import pty
import stat
import subprocess

import pytest
from checked_run import PROGRAM, assert_refused, environment, etalon, temporary_files

COMMANDS = ["demo", "export", "run", "inspect", "zoo", "profile", "analyze", "report", "validate"]


def json_commands(samples, tmp_path):
    return {
        "export": ["export", "zoo:toy_cnn", "-o", tmp_path / "x.pte", "--json"],
        "run": ["run", samples.program, "--json", "-"],
        "inspect": ["inspect", samples.program, "--json"],
        "compare": ["inspect", samples.program, samples.program, "--json"],
        "zoo": ["zoo", "--json"],
        "profile": ["profile", samples.program, "--runs", 2, "--warmup", 0, "-o", tmp_path / "p", "--json"],
        "analyze": ["analyze", samples.run_dir, "--json"],
        "report": ["report", samples.run_dir, "--format", "json"],
        "validate": ["validate", samples.run_dir, "--json"],
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_the_command_and_gives_examples(command):
    end = etalon(command, "--help")
    assert end.code == 0 and end.err == ""
    assert "Examples:" in end.out and f"etalon {command}" in end.out


def test_help_lists_every_command():
    end = etalon("--help")
    assert end.code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in end.out
    assert etalon("--version").out.strip()


@pytest.mark.parametrize("args", [[], ["bogus"], ["--bogus"], ["inspect"], ["zoo", "extra"], ["run", "--runs"]])
def test_wrong_usage_is_one_line(args):
    assert_refused(etalon(*args), mentions=["etalon --help"])


def test_a_mistyped_command_gets_a_suggestion():
    assert_refused(etalon("inspekt", "x.pte"), mentions=["'inspekt'", "did you mean 'inspect'"])


def test_json_outputs_parse_and_carry_their_schema(samples, tmp_path):
    for name, args in json_commands(samples, tmp_path).items():
        end = etalon(*args)
        assert end.code == 0, f"{name}: {end.err}"
        assert "/" in json.loads(end.out)["schema"], name


def test_json_stays_json_for_names_that_are_not_text(samples, tmp_path):
    odd = os.path.join(os.fsencode(tmp_path), b"odd\xff\n.pte")
    with open(odd, "wb") as file:
        file.write(samples.program.read_bytes())
    for args in (["inspect", odd, "--json"], ["inspect", odd, samples.record, "--json"], ["run", odd, "--json", "-"],
                 ["export", "zoo:toy_cnn", "-o", odd, "--json"]):  # fmt: skip
        command = [os.fsencode(PROGRAM), *(os.fsencode(a) for a in args)]
        done = subprocess.run(command, capture_output=True, env=environment())
        assert done.returncode in (0, 1), done.stderr
        assert json.loads(done.stdout.decode())["schema"]


def test_a_pipe_gets_no_escape_codes(samples, tmp_path):
    for args in [["report", samples.run_dir], ["inspect", samples.program], ["zoo"], ["run", samples.program],
                 ["profile", samples.program, "--runs", 2, "--warmup", 0, "-o", tmp_path / "p"]]:  # fmt: skip
        end = etalon(*args, env=environment(TERM="xterm-256color"))
        assert end.code == 0, end.err
        assert "\x1b" not in end.out and "\x1b" not in end.err and "\r" not in end.err


def on_a_terminal(args, **env):
    leader, follower = pty.openpty()
    command = [str(PROGRAM), *map(str, args)]
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=environment(**env))
    os.close(follower)
    out = b""
    try:
        while chunk := os.read(leader, 65536):
            out += chunk
    except OSError:  # the other side is closed
        pass
    os.close(leader)
    assert process.wait() == 0
    return out


def test_a_terminal_gets_colour_unless_it_is_unwanted(samples):
    args = ["inspect", samples.program]
    assert b"\x1b[" in on_a_terminal(args, TERM="xterm")
    assert b"\x1b[" not in on_a_terminal(args, TERM="xterm", NO_COLOR="1")
    assert b"\x1b[" not in on_a_terminal(args, TERM="dumb")


@pytest.mark.parametrize("model", ["zoo:toy_cnn", "zoo:digits_mobilenet"])
def test_exporting_twice_gives_the_same_bytes(model, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert etalon("export", model, "-o", tmp_path / name / "m.pte").code == 0
    for suffix in ("m.pte", "m.pte.etrecord"):
        assert (tmp_path / "a" / suffix).read_bytes() == (tmp_path / "b" / suffix).read_bytes()


def test_describing_twice_gives_the_same_text(samples):
    for args in (["inspect", samples.record, "--json"], ["analyze", samples.run_dir, "--json"], ["zoo"]):
        assert etalon(*args).out == etalon(*args).out


@pytest.mark.parametrize("args", [["--help-all"], ["inspect", "{record}", "--json"], ["report", "{run}"],
                                  ["run", "{program}", "--runs", "50", "--json", "-"]])  # fmt: skip
def test_a_reader_that_leaves_early_is_no_error(args, samples):
    args = [a.format(record=samples.record, run=samples.run_dir, program=samples.program) for a in args]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([str(PROGRAM), *args], stdout=writer, stderr=subprocess.PIPE, env=environment())
    os.close(writer)
    assert done.returncode == 0, done.stderr
    assert b"etalon:" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_output_that_is_lost_is_an_error(samples):
    for args in (["inspect", samples.program], ["--help"], ["report", samples.run_dir, "--format", "csv"]):
        with open("/dev/full", "wb") as full:
            command = [str(PROGRAM), *map(str, args)]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment())
        assert done.returncode == 2
        assert done.stderr.startswith(b"etalon: standard output")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_messages_that_are_lost_change_nothing(samples, tmp_path):
    for program, args, code in (
        (PROGRAM, ["inspect", tmp_path / "absent"], 2),
        (PROGRAM, ["run", samples.program], 0),
        (PROGRAM.with_name("etalon-runner"), [f"--model_path={samples.program}"], 0),
        (PROGRAM.with_name("etalon-runner"), [], 2),
    ):
        with open("/dev/full", "wb") as full:
            command = [str(program), *map(str, args)]
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=full, cwd=tmp_path)
        assert done.returncode == code


def test_closed_standard_streams_do_not_end_up_in_files(samples, tmp_path):
    """A file that is opened first must not get descriptor 1 or 2, where text would land in it."""
    command = f'"{PROGRAM}" export zoo:toy_cnn -o "{tmp_path}/x.pte" <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", command], env=environment()).returncode == 0
    assert (tmp_path / "x.pte").read_bytes() == samples.program.read_bytes()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_device_named_as_output_is_written_and_not_replaced(samples, tmp_path):
    """Through a link, so that a program that replaces its output does no harm to the machine."""
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    for args in writers(samples):
        assert_refused(etalon(*(full if a == "{}" else a for a in args), cwd=tmp_path), mentions=[str(full)])
        assert full.is_symlink()


def test_a_pipe_named_as_output_gets_the_content(samples, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert etalon("run", samples.program, "--json", pipe).code == 0
    assert json.loads(os.read(reader, 1 << 16))["schema"]
    os.close(reader)
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)


def writers(samples):
    return [
        ["export", "zoo:toy_cnn", "-o", "{}"],
        ["export", "zoo:toy_cnn", "-o", "x.pte", "--save-graph", "{}"],
        ["run", samples.program, "--etdump", "{}"],
        ["run", samples.program, "--json", "{}"],
        ["report", samples.run_dir, "-o", "{}"],
        ["inspect", samples.formats / "tiny_cnn.pt2", "--strip", "{}"],
    ]


@pytest.mark.parametrize("target", ["absent/file", "folder", "file/below", "/proc/etalon", "long"])
def test_places_that_cannot_be_written_are_refused(target, samples, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("a file")
    name = "x" * 300 if target == "long" else target
    for args in writers(samples):
        if target == "absent/file" and args[:4] == ["export", "zoo:toy_cnn", "-o", "{}"]:
            continue  # export makes the folders of its output
        end = etalon(*(name if a == "{}" else a for a in args), cwd=tmp_path)
        assert_refused(end)
    assert temporary_files(tmp_path) == []


@pytest.mark.parametrize("target", ["file", "/proc/etalon"])
def test_folders_that_cannot_be_made_are_refused(target, samples, tmp_path):
    (tmp_path / "file").write_text("a file")
    for args in (["run", samples.program, "--output-dir"], ["profile", samples.program, "-o"], ["demo", "--outdir"],
                 ["export", "zoo:toy_cnn", "--outdir"]):  # fmt: skip
        assert_refused(etalon(*args, target, cwd=tmp_path), mentions=[target])


@pytest.mark.parametrize("limit", [0, 100, 4096])
def test_a_full_disk_is_an_error_and_leaves_no_half_of_a_file(limit, samples, tmp_path):
    for args in writers(samples):
        for old in tmp_path.iterdir():
            old.unlink()
        (tmp_path / "out").write_text("old")
        end = etalon(*("out" if a == "{}" else a for a in args), cwd=tmp_path, file_bytes=limit)
        if end.code == 0:
            assert limit > 0  # it was small enough
            continue
        assert_refused(end)
        assert (tmp_path / "out").read_text() == "old"
        assert temporary_files(tmp_path) == []
