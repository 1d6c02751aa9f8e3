"""Packed weights beside a program never change a result, whatever happens to them."""

import shutil

import pytest
from checked_run import etalon
from damaged_bytes import flips, truncations

OUTPUT = "out/0.npy"


@pytest.fixture(scope="module")
def delegated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepack")
    program = folder / "toy.pte"
    assert etalon("export", "zoo:toy_cnn", "--backend", "xnnpack", "-o", program).code == 0
    done = etalon("run", program, "--output-dir", folder / "out")
    assert done.code == 0, done.err
    return program, (folder / OUTPUT).read_bytes()


@pytest.fixture
def packed(delegated, tmp_path):
    program = tmp_path / "toy.pte"
    shutil.copy2(delegated[0], program)
    done = etalon("prepack", program)
    assert done.code == 0, done.err
    cache = tmp_path / "toy.pte.prepacked"
    assert cache.stat().st_size > 1000
    return program, cache


def outputs_of(program, folder, *flags):
    done = etalon("run", program, "--output-dir", folder / "out", *flags)
    assert done.code == 0, done.err
    return (folder / OUTPUT).read_bytes(), done.err


def test_results_are_the_same_with_it(delegated, packed, tmp_path):
    output, err = outputs_of(packed[0], tmp_path)
    assert output == delegated[1]
    assert "stale" not in err and "damaged" not in err


def test_damage_is_noticed_and_costs_nothing_but_time(delegated, packed, tmp_path):
    program, cache = packed
    content = cache.read_bytes()
    for name, damaged in truncations(content, 8) + flips(content, "prepacked", 24):
        cache.write_bytes(damaged)
        assert outputs_of(program, tmp_path)[0] == delegated[1], name


def test_another_program_under_the_same_name_does_not_use_it(packed, tmp_path):
    program, cache = packed
    assert etalon("export", "zoo:toy_cnn", "--backend", "portable", "-o", program).code == 0
    output, err = outputs_of(program, tmp_path)
    assert output
    assert "stale" in err and "packed anew" in err


def test_it_is_made_for_one_instruction_set(packed, tmp_path):
    _, err = outputs_of(packed[0], tmp_path, "--isa", "scalar")
    assert "another instruction set" in err


def test_a_folder_that_cannot_be_written_is_an_error_of_one_line(delegated, tmp_path):
    program = tmp_path / "toy.pte"
    shutil.copy2(delegated[0], program)
    (tmp_path / "toy.pte.prepacked").mkdir()
    done = etalon("prepack", program)
    assert done.code == 2
    assert len(done.errors) == 1
