"""The program as a whole: help, versions, unforeseen ends, real processes."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from bridge.cli import Exit
from bridge.cli.main import COMMANDS, main

from .conftest import CANARY

PYTHON = [sys.executable, "-W", "error::DeprecationWarning:bridge", "-m", "bridge"]


def program(*args, **more):
    env = {**os.environ, **more.pop("env", {})}
    return subprocess.run([*PYTHON, *map(str, args)], capture_output=True, env=env, check=False, timeout=120, **more)


# --- help and versions


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(run, name):
    done = run(name, "--help")
    assert done.exit_code == Exit.DONE
    assert done.stdout.startswith(f"Usage: bridge {name} ")
    assert "\\b" not in done.stdout
    command = main.get_command(click.Context(main), name)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter
            assert parameter.opts[0] in done.stdout


def test_the_help_lists_commands_and_exit_codes(run):
    done = run("--help")
    for name in COMMANDS:
        assert re.search(rf"^  {name} +\S", done.stdout, re.MULTILINE)
    for code in Exit:
        assert re.search(rf"^  {int(code)} +{re.escape(code.meaning[:40])}", done.stdout, re.MULTILINE)


def test_the_version_names_package_tables_and_edition(run):
    lines = run("--version").stdout.splitlines()
    assert lines[0] == f"bridge {version('dicom-fhir-hl7-bridge')}"
    assert any(re.fullmatch(r"table rt-plan-relationship \S+ sha256:[0-9a-f]{12}", line) for line in lines)
    assert re.fullmatch(r"DICOM data dictionary 20\d\d[a-e]", lines[-1])


def test_a_command_that_is_misspelled_gets_the_nearest(run):
    done = run("trnslate")
    assert done.exit_code == Exit.USAGE
    assert "No such command 'trnslate'. Did you mean 'translate'?" in done.stderr


# --- unforeseen ends


def test_a_bug_is_one_line_without_values_and_ends_with_1(run, plan, monkeypatch):
    monkeypatch.setattr("bridge.cli.options.loaded", _broken)
    done = run("translate", plan, "--to", "fhir")
    assert done.exit_code == Exit.ERRORS
    assert done.stderr == (
        "error [internal.error] an unexpected KeyError was raised; "
        "report this as a bug (BRIDGE_DEBUG=1 shows where; mind the values in it)\n"
    )


def test_the_traceback_is_shown_on_request(run, plan, monkeypatch):
    monkeypatch.setattr("bridge.cli.options.loaded", _broken)
    assert "Traceback" in run("translate", plan, "--to", "fhir", env={"BRIDGE_DEBUG": "1"}).stderr


def _broken(_tables):
    raise KeyError(CANARY)


def test_an_interrupt_ends_with_130(run, plan, monkeypatch):
    def interrupted(_tables):
        raise KeyboardInterrupt

    monkeypatch.setattr("bridge.cli.options.loaded", interrupted)
    assert run("translate", plan, "--to", "fhir").exit_code == Exit.INTERRUPTED


# --- real processes


def test_the_help_imports_neither_the_lenses_nor_rich_nor_a_library():
    code = "import sys; from bridge.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print([m for m in sys.modules if m.split('.')[0] in ('yaml', 'rich', 'pydicom', 'hl7apy', 'fhir')"
    code += " or m.startswith(('bridge.translator', 'bridge.dicom', 'bridge.tables'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_dicom_to_fhir_imports_no_library_of_another_format_and_no_rich(plan):
    code = "import sys; from bridge.cli.main import main\n"
    code += f"try: main(['translate', {str(plan)!r}, '--to', 'fhir'])\nexcept SystemExit: pass\n"
    code += "print([m for m in sys.modules if m in ('rich', 'pydicom', 'hl7apy', 'fhir', 'numpy', 'pydantic')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_pipe_of_two_programs(plan):
    first = program("translate", "-", "--to", "fhir", "-o", "-", input=plan.read_bytes())
    second = program("translate", "-", "--to", "hl7v2", "-o", "-", input=first.stdout)
    assert (first.returncode, second.returncode) == (0, 0)
    assert re.search(rb"\|300A0055\^RT Plan Relationship\^99DCMELEM\|[0-9]+\.1\|PREDECESSOR\^", second.stdout)


def test_standard_error_is_plain_where_it_is_no_terminal(plan):
    done = program("translate", plan, "--to", "fhir", env={"NO_COLOR": ""})
    assert done.returncode == 0
    assert b"\x1b" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_behind_standard_output_is_an_issue(plan):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PYTHON, "translate", str(plan), "--to", "fhir", "-o", "-"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == Exit.UNREADABLE
    assert b"error [io.write]" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_that_goes_away_ends_it_without_a_word():
    process = subprocess.Popen([*PYTHON, "issues", "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(60) == 128 + signal.SIGPIPE
    assert process.stderr.read() == b""
    process.stderr.close()


def test_control_c_while_waiting_for_input_ends_with_130():
    process = subprocess.Popen(
        [*PYTHON, "check", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell starts its background jobs deaf to Ctrl-C, and a child inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == Exit.INTERRUPTED
    assert b"Traceback" not in errors


def test_on_a_terminal_binary_is_refused_and_the_rest_is_coloured(plan):
    code, shown = on_a_terminal("translate", plan, "--to", "dicom", "-o", "-")
    assert code == Exit.USAGE
    assert b"DICM" not in shown
    code, shown = on_a_terminal("translate", plan, "--to", "hl7v2")
    assert code == Exit.DONE
    assert b"\x1b[" in shown
    assert CANARY.encode() not in shown


def on_a_terminal(*args):
    """Run the program with a terminal for its three streams; return its exit code and what was shown."""
    ours, theirs = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [*PYTHON, *map(str, args)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**env, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            if select.select([ours], [], [], 60)[0]:
                part = os.read(ours, 65536)
        except OSError:  # the other side is closed (Linux)
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return process.wait(60), shown


def test_python_m_bridge_is_the_command():
    assert program("--version").stdout.startswith(b"bridge ")
    assert json.loads(program("tables", "--format", "json").stdout)
