"""Exit codes, and one line for each wrong command line."""

import pytest

from command_line import PATIENCE, started


def test_without_a_command_it_helps(trimtab):
    code, said, complained = trimtab()
    assert (code, complained) == (0, [])
    for command in ("run", "plan", "report", "audit", "show", "strategies", "sizes", "datasets"):
        assert any(line.startswith(f"  {command} ") for line in said), command
    assert trimtab("--help") == (code, said, complained)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["rnu"], "No such command 'rnu'"),
        (["--nope"], "No such option: --nope"),
        (["run"], "Missing argument 'STUDY'"),
        (["report"], "Missing argument 'DIR'"),
        (["run", "study.toml", "--nope"], "No such option: --nope"),
        (["strategies", "large"], "Got unexpected extra argument(s) (large)"),
    ],
)
def test_a_wrong_command_line(wrong, words, sentence):
    # What stands between is typer's own hint, and may change.
    assert wrong(*words).startswith(sentence)
    assert wrong(*words).endswith("; see trimtab --help")


@pytest.mark.parametrize("value", ["0", "two", "-1"])
def test_a_wrong_number_of_jobs(wrong, value):
    assert wrong("run", "study.toml", f"--jobs={value}").startswith("Invalid value for '--jobs'")


def test_a_wrong_device(wrong):
    sentence = wrong("run", "study.toml", "--device", "tpu")
    assert sentence.startswith("Invalid value for '--device': 'tpu' is not one of ")


@pytest.mark.parametrize("command", ["run", "plan", "audit", "show"])
def test_a_study_that_is_not_there(wrong, command):
    assert wrong(command, "nowhere.toml") == (
        "nowhere.toml: there is no such study file; name one, such as studies/quickstart.toml"
    )


def test_a_wrong_input_in_a_process_of_its_own():
    with started("run", "nowhere.toml") as process:
        said, complained = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (2, "")
    [line] = complained.splitlines()
    assert line.startswith("trimtab: nowhere.toml: ")
