"""The way of the code to Azure: the packed files, the pinned versions, and the rights on the way."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from infra.rules import of_type
from infra.snapshots import WAYS, loaded, need_cli, parameters
from packaging.specifiers import SpecifierSet

from coupa_core import __version__
from coupa_core.release import release_in
from coupa_core.routes import ROUTES

ROOT = Path(__file__).parents[1]
FUNCTIONS = len(ROUTES) + 1
"""Those of the routes, and the timer."""

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.slow
def test_the_package_holds_what_runs_and_nothing_else(tmp_path: Path) -> None:
    for name in ("scripts", "coupa_core"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("function_app.py", "host.json", "requirements.txt", "README.md"):
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / "local.settings.json").write_text("{}")
    (tmp_path / "coupa_core" / "__pycache__").mkdir(exist_ok=True)

    for _ in range(2):
        # -I -S: as on a machine where nothing is installed.
        packing = [sys.executable, "-I", "-S", str(tmp_path / "scripts" / "package.py")]
        subprocess.run(packing, check=True, capture_output=True)

    package = tmp_path / "build" / "package"
    assert {path.name for path in package.iterdir()} == {
        *("coupa_core", "function_app.py", "host.json", "requirements.txt"),
    }
    assert (package / "requirements.txt").read_bytes() == (ROOT / "requirements.txt").read_bytes()
    assert {path.suffix for path in package.rglob("*") if path.is_file()} == {".py", ".json", ".txt"}
    program = "import function_app; print(len(function_app.app.get_functions()))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=package, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == FUNCTIONS


@pytest.mark.parametrize(("commit", "suffix"), [("", ""), ("0123456789abcdef0123", "+0123456789ab")])
def test_the_package_says_which_release_it_is(tmp_path: Path, commit: str, suffix: str) -> None:
    for name in ("scripts", "coupa_core"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("function_app.py", "host.json", "requirements.txt"):
        shutil.copy2(ROOT / name, tmp_path / name)

    packing = [sys.executable, "-I", "-S", str(tmp_path / "scripts" / "package.py")]
    subprocess.run(packing, env={"GITHUB_SHA": commit}, check=True, capture_output=True)

    assert release_in(tmp_path / "build" / "package" / "coupa_core") == __version__ + suffix
    assert release_in(tmp_path / "coupa_core") == __version__


def test_the_deployment_waits_for_a_sweep_of_its_own(tmp_path: Path) -> None:
    """The commands here are stand-ins: the host is known, and what is asked for is written down."""
    [deploy] = [path for path in WORKFLOWS if path.stem == "deploy"]
    jobs = yaml.safe_load(deploy.read_text("utf-8"))["jobs"]
    scripts = [step["run"] for step in jobs["deploy"]["steps"] if "run" in step]
    [deploying] = [each for each in scripts if "config-zip" in each]
    [noting] = [each for each in scripts if "GITHUB_OUTPUT" in each]
    [waiting] = [step for step in jobs["gate"]["steps"] if "run" in step]
    (tmp_path / "build" / "package" / "coupa_core").mkdir(parents=True)
    (tmp_path / "build" / "package" / "coupa_core" / "release.txt").write_text("0.2.0+abc\n")
    for name, said in (("az", "echo app.test"), ("zip", ":"), ("python3", 'printf "%s\\n" "$@" > asked')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{said}\n")
        (tmp_path / name).chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "GITHUB_ENV": str(tmp_path / "env"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    shell = ["bash", "-eo", "pipefail", "-c"]
    before = datetime.now(UTC).replace(microsecond=0)

    subprocess.run([*shell, deploying], env=environment, cwd=tmp_path, check=True)
    environment |= pairs_of(tmp_path / "env")
    subprocess.run([*shell, noting], env=environment, cwd=tmp_path, check=True)
    outputs = pairs_of(tmp_path / "output")
    given = {name: outputs[value.split(".")[-1].rstrip(" }")] for name, value in waiting["env"].items()}
    subprocess.run([*shell, waiting["run"]], env={**environment, **given}, cwd=tmp_path, check=True)

    module, gate, url, *options = (tmp_path / "asked").read_text().splitlines()
    asked = dict(zip(options[::2], options[1::2], strict=True))
    assert (module, gate, url, asked["--version"]) == (
        "-m",
        "coupa_core.gate",
        "https://app.test",
        "0.2.0+abc",
    )
    assert before <= datetime.fromisoformat(asked["--since"]) <= datetime.now(UTC)
    assert set(jobs["deploy"]["outputs"]) == set(outputs)
    assert jobs["gate"]["needs"] == "deploy"


def test_a_deployment_that_the_gate_cannot_reach_says_so_in_its_summary(tmp_path: Path) -> None:
    """A job that is skipped leaves the run green."""
    [deploy] = [path for path in WORKFLOWS if path.stem == "deploy"]
    steps = yaml.safe_load(deploy.read_text("utf-8"))["jobs"]["deploy"]["steps"]
    [noting] = [step for step in steps if "GITHUB_OUTPUT" in step.get("run", "")]
    [warning] = [step for step in steps if "GITHUB_STEP_SUMMARY" in step.get("run", "")]
    (tmp_path / "build" / "package" / "coupa_core").mkdir(parents=True)
    (tmp_path / "build" / "package" / "coupa_core" / "release.txt").write_text("0.2.0+abc\n")
    environment = {**os.environ, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}

    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", warning["run"]],
        env=environment,
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )

    assert (noting["if"], warning["if"]) == ("vars.ALLOWED_IPS == ''", "vars.ALLOWED_IPS != ''")
    command = "by step 7 of docs/operations.md, with VERSION=0.2.0+abc"
    assert done.stdout.startswith("::warning title=The deployment was not checked::ALLOWED_IPS keeps")
    assert command in done.stdout
    assert command in (tmp_path / "summary").read_text()


def pairs_of(path: Path) -> dict[str, str]:
    """Return what a step noted for those that come after it."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


MORE = {
    "codeql": {"security-events": "write"},
    "deploy": {"id-token": "write"},
    "newest": {"issues": "write"},
    "release": {"contents": "write"},
}
"""What a workflow may do beyond reading the code."""


def steps(path: Path) -> list[dict[str, Any]]:
    """Return every step of a workflow."""
    jobs = yaml.safe_load(path.read_text("utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_commit_and_says_its_version(path: Path) -> None:
    used = re.findall(r"uses: (.+)$", path.read_text("utf-8"), re.MULTILINE)

    assert used
    assert [each for each in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_an_action_has_the_same_commit_everywhere() -> None:
    used = {each for path in WORKFLOWS for each in re.findall(r"uses: (\S+)", path.read_text("utf-8"))}

    assert len({each.partition("@")[0] for each in used}) == len(used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_no_more_than_it_must(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text("utf-8"))
    granted = workflow["permissions"] | {
        name: level for job in workflow["jobs"].values() for name, level in job.get("permissions", {}).items()
    }
    checkouts = [step for step in steps(path) if "checkout" in step.get("uses", "")]

    assert granted == {"contents": "read"} | MORE.get(path.stem, {})
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
    assert "secrets." not in path.read_text("utf-8")
    assert "pull_request_target" not in path.read_text("utf-8")
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


TRUSTED = {
    *("actions/checkout", "actions/download-artifact", "azure/login"),
    *("github/codeql-action/init", "github/codeql-action/analyze"),
}
"""Actions that may run beside rights; none of them runs what the repository or a package brings."""


def privileged() -> Iterator[Any]:
    """Yield a parameter for each job that may change something or ask for a token."""
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text("utf-8"))
        for name, job in workflow["jobs"].items():
            granted = job.get("permissions", workflow["permissions"])
            if "write" in granted.values() or "environment" in job:
                yield pytest.param(job, id=f"{path.stem}-{name}")


@pytest.mark.parametrize("job", list(privileged()))
def test_a_job_with_rights_runs_nothing_that_others_wrote(job: dict[str, Any]) -> None:
    """A package runs with all that its job may do, and an artifact may be what one left."""
    actions = {step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step}
    scripts = "\n".join(step["run"] for step in job["steps"] if "run" in step)

    taken = {step["with"]["name"] for step in job["steps"] if "download-artifact" in step.get("uses", "")}
    assert actions <= TRUSTED
    assert taken <= {"sbom"}, "a list of packages, which nothing runs"
    assert set(re.findall(r"\bmake ([a-z-]+)", scripts)) <= {"package", "release-notes"}
    assert re.search(r"\b(pip|uv|npm|npx|pytest|python\S*|\.?/?scripts/\S+)\b", scripts) is None
    dry = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "package", "release-notes"],
        env={"PATH": os.environ["PATH"]},  # `make test` hands its own variables on
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.findall(r"^\w+ \S+", dry.stdout, re.MULTILINE) == [
        "python3 scripts/package.py",
        "python3 scripts/release_notes.py",
    ]
    assert len(dry.stdout.splitlines()) == 2


def test_the_jobs_with_rights_are_known_and_nothing_is_deployed_or_released_untested() -> None:
    named = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in WORKFLOWS}

    assert [parameter.id for parameter in privileged()] == [
        *("codeql-analyze", "deploy-deploy", "newest-tell", "release-release"),
    ]
    for name in ("deploy", "release"):
        assert named[name]["jobs"][name]["needs"] == "test"
        assert "make test PYTHON=python ALL=1" in "".join(
            step.get("run", "") for step in named[name]["jobs"]["test"]["steps"]
        )


def test_newest_versions_that_fail_are_told_and_leave_main_green() -> None:
    """A job that fails marks the last commit red even where it may fail; a step that fails does not."""
    [newest] = [yaml.safe_load(path.read_text("utf-8")) for path in WORKFLOWS if path.stem == "newest"]
    job, tell = newest["jobs"]["newest"], newest["jobs"]["tell"]
    [trying] = [step for step in job["steps"] if "make newest" in step.get("run", "")]

    assert trying["continue-on-error"] is True
    assert "schedule" in newest[True]  # YAML reads the key `on` as a boolean
    assert job["outputs"] == {
        name: f"${{{{ steps.told.outputs.{name} }}}}"
        for name in (f"failed_{version.replace('.', '_')}" for version in job["strategy"]["matrix"]["python"])
    }
    assert "needs.newest.outputs" in tell["if"]
    assert "gh issue create" in tell["steps"][0]["run"]


def test_no_step_pastes_a_value_into_a_shell() -> None:
    """What GitHub puts between braces is text of others; a shell gets it as a variable."""
    scripts = [step["run"] for path in WORKFLOWS for step in steps(path) if "run" in step]

    assert scripts
    assert [each for each in scripts if "${{" in each] == []


def test_every_python_that_is_promised_is_tested() -> None:
    workflows = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in WORKFLOWS}
    promised = SpecifierSet(
        re.findall(r'requires-python = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"))[0]
    )

    versions = [version for version in (f"3.{minor}" for minor in range(8, 20)) if version in promised]
    assert workflows["ci"]["jobs"]["test"]["strategy"]["matrix"]["python"] == versions
    assert workflows["newest"]["jobs"]["newest"]["strategy"]["matrix"]["python"] == versions


def test_ci_asks_for_every_branch() -> None:
    coverage = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["coverage"]
    files = (ROOT / ".ci" / "run", ROOT / ".github" / "workflows" / "ci.yml")

    assert (coverage["run"]["branch"], coverage["report"]["fail_under"]) == (True, 100)
    for file in files:
        [asked] = [line for line in file.read_text("utf-8").splitlines() if "COVERAGE=1" in line]
        options = asked.partition("make test ")[2].removesuffix("$all").split()
        done = subprocess.run(
            ["make", "--dry-run", "test", *options], cwd=ROOT, capture_output=True, text=True, check=True
        )
        [line] = [line for line in done.stdout.replace("\\\n", "").splitlines() if "-m pytest" in line]
        assert "--cov " in line


def test_workflows_run_targets_and_files_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = "\n".join(step.get("run", "") for path in WORKFLOWS for step in steps(path))

    used = set(re.findall(r"\bmake ([a-z-]+)", text))
    assert used <= targets
    assert {"test", "infra", "audit-deps", "sbom", "package", "newest"} <= used
    assert all((ROOT / file).exists() for file in re.findall(r"(?:tests/)?infra/[\w./-]+", text))


def test_the_deployment_counts_the_functions_as_the_table_of_routes_is_written() -> None:
    [deploy] = [path.read_text("utf-8") for path in WORKFLOWS if path.stem == "deploy"]
    [counts] = re.findall(r"wanted=(\$\(\(.+\)\)) #", deploy)

    counted = subprocess.run(
        ["sh", "-c", f"echo {counts}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(counted.stdout) == FUNCTIONS > 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq, as GitHub's machines have it")
def test_github_hands_on_each_variable_that_the_parameters_read_as_it_is_and_no_other(tmp_path: Path) -> None:
    """The az here is a stand-in, which writes down what it is given."""
    [deploy] = [path for path in WORKFLOWS if path.stem == "deploy"]
    [step] = [each for each in steps(deploy) if "what-if" in each.get("run", "")]
    (tmp_path / "az").write_text('#!/bin/sh\necho "$*" >> "$ASKED"; env -0 > "$ASKED.env"\n')
    (tmp_path / "az").chmod(0o755)
    given = WAYS["listener-all"]
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "ASKED": str(tmp_path / "asked"),
        "VARIABLES": json.dumps(given | {"AZURE_CLIENT_ID": "of the login", "PATH": "/elsewhere"}),
        "RESOURCE_GROUP": "approvals",
    }
    subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], env=environment, cwd=ROOT, check=True)

    asked = (tmp_path / "asked").read_text().splitlines()
    pairs = (each.split("=", 1) for each in (tmp_path / "asked.env").read_text("utf-8").split("\0") if each)
    assert step["env"] == {"VARIABLES": "${{ toJSON(vars) }}"}
    assert [each.split()[2] for each in asked] == ["what-if", "create"]
    assert all("--parameters infra/main.bicepparam" in each for each in asked)
    assert {name: value for name, value in pairs if name in given or name.startswith("AZURE")} == given


@pytest.mark.slow
def test_azd_and_az_arrive_at_the_same_parameters() -> None:
    """Azd lays its own environment over the shell's, and adds who deploys; GitHub calls az."""
    need_cli()
    given = WAYS["events-all"]
    shell, own = {"COUPA_BASE_URL": "https://old.example.com", "RELAY_HTML": given["RELAY_HTML"]}, dict(given)
    del own["RELAY_HTML"]

    by_azd = parameters(ROOT / "infra", shell | own | {"AZURE_PRINCIPAL_ID": "somebody"})
    by_az = parameters(ROOT / "infra", given)

    assert isinstance(by_az, dict), by_az
    assert by_az == by_azd
    for name in ("TIME_ZONES", "EMAIL_MAP"):
        assert json.loads(by_az["settings"][name]) == json.loads(given[name])


def test_updates_are_looked_for_where_packages_are_named() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text("utf-8"))["updates"]
    packages, actions = updates
    places = [ROOT / place.lstrip("/") for place in packages["directories"]]
    locks = [lock.parent for depth in ("*", "*/*") for lock in ROOT.glob(f"{depth}/package-lock.json")]

    # No pip: it would raise one of the locks, which move together: make lock.
    assert (packages["package-ecosystem"], actions["package-ecosystem"]) == ("npm", "github-actions")
    assert sorted(places) == sorted(locks)
    assert all(each["cooldown"] == {"default-days": 7} for each in updates)


def test_azd_finds_the_app_by_its_tag_and_takes_the_package() -> None:
    project = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))
    [(name, service)] = project["services"].items()
    [site] = of_type(loaded()["events"], "Microsoft.Web/sites")

    assert site["tags"]["azd-service-name"] == name
    assert (service["project"], service["dist"]) == (".", "build/package")
    assert (service["language"], service["host"]) == ("python", "function")
    for hook in (*service["hooks"].values(), *project["hooks"].values()):
        for system in ("posix", "windows"):
            files = re.findall(r"(?:scripts|infra)/[\w.]+", hook[system]["run"])
            assert files
            assert all((ROOT / file).exists() for file in files)


def test_there_is_one_file_of_parameters_which_azd_prefers_to_any_other() -> None:
    assert {path.name for path in (ROOT / "infra").glob("*param*")} == {"keys.bicepparam", "main.bicepparam"}


HOLE = {"id": "X-1", "fix_versions": ["2"]}


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        ({"dependencies": [{"name": "a", "version": "1", "vulns": []}]}, 0, "1 packages, no known hole."),
        ({"dependencies": [{"name": "a", "version": "1", "vulns": [HOLE]}]}, 1, "a 1: X-1, fixed in 2"),
        ({"dependencies": [{"name": "a", "skip_reason": "not found"}]}, 2, "1 of 1 packages are not known"),
        ({"dependencies": []}, 2, "0 of 0 packages"),
        (None, 2, "The advisory service cannot be reached from here; nothing was checked. (no route)"),
    ],
)
def test_an_audit_that_did_not_happen_is_not_a_success(
    tmp_path: Path, answer: Any, status: int, told: str
) -> None:
    """The command here is a stand-in for pip-audit: its answers are of the form that version 2.10 gives."""
    output = "" if answer is None else json.dumps(answer)
    stand_in = tmp_path / "pip-audit"
    stand_in.write_text(
        textwrap.dedent(
            f"""\
            #!{sys.executable}
            import sys
            assert {{"--require-hashes", "deployed.txt"}} <= {{*sys.argv}}
            print({output!r})
            sys.exit("no route")
            """
        )
    )
    stand_in.chmod(0o755)

    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "audit_deps.py", stand_in, "deployed.txt"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (status, "")
    assert told in done.stdout


@pytest.mark.parametrize(
    ("cli", "status", "told"),
    [
        (None, 0, "nothing was compiled"),
        ("exit 0", 0, "infra: lint"),
        ("echo 'x.bicep(1,1) : Warning BCP318: may be null' >&2", 1, "Warning BCP318"),
        ("exit 1", 1, "mend it"),
        ('[ "$1" != format ] || echo "// x" >> "${3%%infra*}infra/main.bicep"', 1, "+// x"),
    ],
)
def test_compiling_fails_on_whatever_the_bicep_cli_says(
    tmp_path: Path, cli: str | None, status: int, told: str
) -> None:
    """The CLI itself ends with 0 on a warning; the one here is a stand-in."""
    for tool in ("sh", "dirname", "mktemp", "rm", "cp", "sed", "diff"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    if cli is not None:
        (tmp_path / "bicep").write_text(f"#!/bin/sh\n{cli}\n")
        (tmp_path / "bicep").chmod(0o755)

    done = subprocess.run(
        [ROOT / "scripts" / "bicep"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert done.returncode == status, done.stderr
    assert told in done.stdout + done.stderr
