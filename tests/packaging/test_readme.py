"""The README says what is: every command, option, path, parameter, route and key in it exists."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from functools import cache

import pytest
import yaml

from boekbrug.texts import sentence, word
from infra import environment, template
from infra.environment import ROOT
from infra.local import figures

README = (ROOT / "README.md").read_text()
BLOCKS = [(language, text) for language, text in re.findall(r"^ *```(\w*)\n(.*?)^ *```$", README, re.M | re.S)]
SHELL = "\n".join(text for language, text in BLOCKS if language == "sh").replace("\\\n", " ")
CODE = re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```$", "", README, flags=re.M | re.S))

SCRIPTS = ("infra/demo", "infra/test", "infra/build")
# Whose options are pytest's and not our own.
PYTEST = {"-k"}


def _lines(first: str) -> list[list[str]]:
    """The commands of the page that begin with `first`, in blocks and in the running text, as words."""
    said = [line.strip() for line in SHELL.splitlines()] + CODE
    return [shlex.split(line, comments=True) for line in said if line.split(" ")[0] == first]


@cache
def _help(*command: str) -> str:
    """What a command says of itself."""
    # argparse breaks long words; the width keeps the options whole.
    variables = {**os.environ, "COLUMNS": "200", "SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _options(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}


def _knows(words: list[str], *command: str) -> None:
    unknown = {option for option in _options(words) if not re.search(rf"{option}\b", _help(*command))}
    assert unknown == set(), f"{' '.join(words)}: {command} knows nothing of {unknown}"


# --- commands ---


@pytest.mark.parametrize("script", sorted({*SCRIPTS, "infra/run", "infra/lock", ".ci/run"}))
def test_a_command_is_there_and_can_be_run(script):
    assert os.access(ROOT / script, os.X_OK)


def test_every_command_of_ours_in_a_block_is_one_of_those():
    first = {line.split()[0] for line in SHELL.splitlines() if line.strip().startswith("infra/")}
    assert first == {*SCRIPTS, "infra/run"}


@pytest.mark.parametrize(("script", "module"), [("infra/demo", "infra.local.demo"), ("infra/build", "infra.artefact")])
def test_a_command_knows_the_options_the_page_gives_it(script, module):
    lines = _lines(script)
    assert lines
    for words in lines:
        _knows(words, sys.executable, "-m", module)


def test_the_table_of_options_has_every_option_of_the_demo():
    told = {code.split()[0] for code in CODE if code.startswith("--")} - {"--guided", "--deep", "--env-vars"}
    known = set(re.findall(r"^ +(?:-h, )?(--[a-z-]+)", _help(sys.executable, "-m", "infra.local.demo"), re.M))
    assert told == known - {"--help"}


def test_the_tests_know_their_options():
    known = _help(sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
    for words in _lines("infra/test"):
        own = _options(words) - PYTEST - {"--sum"}  # answered by infra/test itself
        assert all(option in known for option in own), words
        assert all((ROOT / word).exists() for word in words if word.startswith("tests/"))


def test_what_runs_in_the_environment_is_there():
    sam = environment.tool("sam").command("sam")
    for words in _lines("infra/run"):
        command = words[1:]
        if command[0] == "sam":
            parts = command[: 3 if command[1] == "local" else 2]
            _knows(command, sam, *parts[1:])
        elif command[:2] == ["python", "-m"] and command[2].startswith("fakes"):
            _knows(command[2:], sys.executable, "-m", "fakes", command[3])
        elif command[:2] == ["python", "-m"]:
            if not command[2].startswith("pytest"):
                assert (ROOT / f"{command[2].replace('.', '/')}.py").exists(), command
        else:
            assert command[0] in ("ruff", "COMMAND"), command


# --- paths and names ---


def test_every_path_is_there():
    linked = re.findall(r"\]\(([^)#]+)\)", README)
    coded = [code.rstrip("/") for code in CODE if re.match(r"(functions|fakes|infra|tests)/[\w./-]*$", code)]
    mapped = _mapped()
    assert mapped
    events = re.findall(r"infra/events/\w+\.json", README)
    missing = {path for path in [*linked, *coded, *mapped, *events] if not (ROOT / path).exists()}
    assert missing == set()


def _mapped() -> list[str]:
    """The folders and files of the map of the house, whose indents say what lies in what."""
    block = next(text for language, text in BLOCKS if text.startswith("template.yaml "))
    paths, above = [], ""
    for line in block.splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            above = name if name.endswith("/") else ""
            paths.append(name)
        else:
            paths.append(above + name)
    return paths


def test_the_parameters_are_those_of_the_template():
    table = README.partition("| parameter | default |")[2].partition("\n\n")[0]
    told = {name for row in table.splitlines() for name in re.findall(r"`([A-Z]\w+)`", row.split("|")[1:2].__str__())}
    parameters = template.load()["Parameters"]
    assert told == set(parameters)
    for name, default in re.findall(r"\| `(\w+)` \| `([^`]+)` \|", table):
        assert default == str(parameters[name]["Default"])


def test_the_functions_outputs_and_alarms_are_those_of_the_template():
    functions = set(re.findall(r"^\| `([A-Z]\w+)` \| (?:HTTP|each minute|queue) \|", README, re.M))
    assert functions == set(template.functions())
    outputs = README.partition("The stack tells ")[2].partition(".")[0]
    assert set(re.findall(r"`(\w+)`", outputs)) == set(template.load()["Outputs"])
    alarms = template.resources("AWS::CloudWatch::Alarm")
    kinds = Counter(
        next(k for k in ("Errors", "NotRunning", "DeadLettersNotEmpty", "QueueOld") if k in a) for a in alarms
    )
    assert kinds == {"Errors": 8, "NotRunning": 1, "DeadLettersNotEmpty": 4, "QueueOld": 4}
    assert f"{len(alarms)} alarms" in README


def test_the_secret_has_the_keys_of_the_template():
    told = json.loads(next(text for language, text in BLOCKS if language == "json"))
    placeholder = json.loads(template.resources("AWS::SecretsManager::Secret")["AppCredentials"]["SecretString"])
    assert {app: set(keys) for app, keys in told.items()} == {app: set(keys) for app, keys in placeholder.items()}


# --- the API ---


@cache
def _api() -> dict:
    return yaml.safe_load((ROOT / "infra" / "openapi.yaml").read_text())


def _path(shown: str) -> str:
    """The path of the API that an address of the page is one of: its own, or one with names in it."""
    paths = sorted(_api()["paths"], key=lambda path: path.count("{"))
    return next((path for path in paths if re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), shown)), shown)


def _calls() -> list[tuple[str, str, set[str]]]:
    """Method, path and body's keys of every call in the blocks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--request")
    parser.add_argument("--data")
    calls = []
    for line in SHELL.splitlines():
        if not line.startswith("call "):
            continue
        asked = parser.parse_args(shlex.split(line.partition(" > ")[0], comments=True)[1:])
        path = _path(asked.url.removeprefix("$API").partition("?")[0])
        keys = set(json.loads(asked.data)) if asked.data and not asked.data.startswith("@") else set()
        calls.append((asked.request or ("POST" if asked.data else "GET"), path, keys))
    return calls


def test_every_call_is_a_route_and_sends_fields_it_takes():
    calls = _calls()
    assert len(calls) > 15
    for method, path, keys in calls:
        operation = _api()["paths"][path][method.lower()]
        if keys:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            fields = _api()["components"]["schemas"][schema]
            assert keys <= set(fields["properties"]), path
            assert set(fields.get("required", ())) <= keys, path


def test_every_route_named_in_the_text_exists():
    paths = set(_api()["paths"])
    named = {code for code in CODE if re.match(r"/(api|callback|connect|webhooks)/", code)}
    named |= {code.removeprefix("$API") for code in CODE if code.startswith("$API")}
    assert named
    assert {_path(name) for name in named} <= paths


# --- what people see ---


def test_the_closing_table_has_the_rows_the_demo_prints():
    block = next(text for _, text in BLOCKS if "\nExact Online\n──" in text)
    printed = block.partition("\nExact Online\n")[2].splitlines()
    shown = [re.split(r"  +", line.strip()) for line in printed if line.startswith("  ")]
    refused = Counter({name.removeprefix("refused: "): int(n) for name, n in shown if name.startswith("refused: ")})
    made = figures.table("Exact Online", figures.PackageFigures(refused=refused)).splitlines()
    assert [name for name, _ in shown] == [re.split(r"  +", line.strip())[0] for line in made if line.startswith("  ")]
    figure = dict(shown)
    assert int(figure["documents issued in Teamleader"]) == int(figure["booked, once each"]) + refused.total()


@pytest.mark.parametrize(
    ("cause", "facts", "document"),
    [
        ("PeriodClosed", {"period": "2025 - 01"}, "2025 / 1"),
        ("NotPossible", {"feature": "withheld_tax"}, "2026 / 42"),
        ("RelationAmbiguous", {"customer": "Tess Tweeling", "candidates": "Tess Tweeling (1007)"}, ""),
        ("MatchUndone", {"amount": "121.00 EUR"}, "2026 / 9"),
    ],
)
def test_a_sentence_shown_is_the_sentence_people_get(cause, facts, document):
    assert f"> {sentence(cause, facts, 'en', document=document, package=word('exact', 'en'))}\n" in README
