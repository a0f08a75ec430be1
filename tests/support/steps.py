"""The steps of tests/run: what each runs, what it needs, and how its results are counted."""

import argparse
import collections
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
DETAILS_MAX = 12  # lines shown of a failure; the rest is in its log

# name: a step is called so on the command line. level: quick, default or all. needs: steps that
# must have passed. commands: run in order until one fails. count: what its results are.
Step = collections.namedtuple("Step", "name level needs seconds_max count commands")
# details: lines for people who look for the cause.
Result = collections.namedtuple("Result", "passed failed skipped details")

TOTALS = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)
FAILED_LINE = re.compile(r"^[\s\d.]*FAILED\b.*|^.*\b(?:fatal )?error: .*", re.MULTILINE)
CMOCKA = re.compile(r"^\[\s*(OK|FAILED|SKIPPED)\s*\] (\w+)$", re.MULTILINE)


def build(preset, *targets):
    chosen = ["--target", *targets] if targets else []
    return [["cmake", "--preset", preset], ["cmake", "--build", "--preset", preset, *chosen]]


def ctest(preset, name, *chosen):
    folder = BUILD if preset == "dev" else BUILD / preset
    command = ["ctest", "--test-dir", str(folder), "-j", str(os.cpu_count()), *chosen]
    size = ["--test-output-size-passed", "1000000", "--test-output-size-failed", "1000000"]
    return [command + size + ["--output-on-failure", "--output-junit", str(LOGS / f"{name}.xml")]]


def sim(selection):
    return [[str(BUILD / "tests/sim"), selection]]


def vectors(folder):
    return [[str(folder / "tests/vectors"), "tests/vectors/cases"]]


# Counting: from what a step left behind to a result.


def count_one(_name, _log, is_good):
    return Result(int(is_good), int(not is_good), 0, [])


def count_totals(_name, log, is_good):
    """The step's last line of totals; ending badly without counting a failure is one more."""
    totals = TOTALS.findall(log)
    passed, failed = map(int, totals[-1]) if totals else (0, 0)
    if not totals or (not is_good and failed == 0):
        failed += 1
    return Result(passed, failed, 0, [])


def count_ctest(name, _log, is_good):
    """The functions of cmocka programs; any other program, and one that broke off, as one."""
    passed = failed = 0
    skipped, details = [], []
    report = LOGS / f"{name}.xml"
    cases = xml.etree.ElementTree.parse(report).iter("testcase") if report.exists() else []
    for case in cases:
        program, status = case.get("name"), case.get("status")
        functions = {}
        for outcome, function in CMOCKA.findall(case.findtext("system-out") or ""):
            if functions.get(function) != "FAILED":
                functions[function] = outcome
        outcomes = list(functions.values())
        skipped += [function for function in functions if functions[function] == "SKIPPED"]
        details += [f"{program}: {f}" for f in functions if functions[f] == "FAILED"]
        if status == "fail" and "FAILED" not in outcomes:
            details.append(f"{program}: {case.find('failure').get('message') or 'it failed'}")
            outcomes.append("FAILED")
        elif status == "notrun":
            skipped.append(program)
        elif not outcomes:
            outcomes.append("OK")
        passed += outcomes.count("OK")
        failed += outcomes.count("FAILED")
    if passed + failed == 0 or (not is_good and failed == 0):
        failed += 1
    if skipped:
        details.append(f"skipped: {' '.join(skipped)}")
    return Result(passed, failed, len(skipped), details)


UNIT = ["-L", "unit"]
STEPS = [
    Step("build", "quick", [], 900, count_one, build("dev")),
    Step("lint", "quick", [], 120, count_totals, [["tests/lint/run"]]),
    Step("unit", "quick", ["build"], 600, count_ctest, ctest("dev", "unit", *UNIT)),
    Step("vectors", "quick", ["build"], 300, count_totals, vectors(BUILD)),
    Step("sim", "default", ["build"], 600, count_totals, sim("--selection")),
    Step("tidy", "default", ["build"], 900, count_totals, [["tests/lint/tidy"]]),
    Step("clang", "default", [], 900, count_one, build("clang")),
    Step("asan-build", "default", [], 900, count_one, build("asan", "unit_tests", "vectors")),
    Step("asan", "default", ["asan-build"], 900, count_ctest, ctest("asan", "asan", *UNIT)),
    Step("asan-vectors", "default", ["asan-build"], 600, count_totals, vectors(BUILD / "asan")),
    Step("fuzz-build", "default", [], 900, count_one, build("fuzz", "fuzzers")),
    Step("fuzz", "default", ["fuzz-build"], 600, count_totals, [["tests/fuzz/run"]]),
    Step("files", "default", ["build"], 600, count_ctest, ctest("dev", "files", "-LE", "unit")),
    Step(
        "e2e",
        "default",
        ["build"],
        1200,
        count_totals,
        [["tests/support/install", "e2e", "browser"], ["tests/e2e/run"]],
    ),
    Step(
        "package",
        "default",
        [],
        900,
        count_totals,
        [["tests/support/install", "package"], ["tests/package/run"]],
    ),
    Step("sim-all", "all", ["build"], 7200, count_totals, sim("--all")),
    Step("tsan-build", "all", [], 900, count_one, build("tsan", "unit_tests")),
    Step("tsan", "all", ["tsan-build"], 1200, count_ctest, ctest("tsan", "tsan", *UNIT)),
]
LEVELS = ["quick", "default", "all"]


def run_command(command, log, seconds):
    """True if it ended well in time. It and what it started are ended with us."""
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    environment = {
        **os.environ,
        "ASAN_OPTIONS": "detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    try:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        log.write(f"error: {error}\n")
        return False
    try:
        return process.wait(timeout=seconds) == 0
    except subprocess.TimeoutExpired:
        log.write(f"\nerror: stopped after {seconds:.0f} s\n")
        return False
    finally:
        end_group(process)


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run_step(step):
    path = LOGS / f"{step.name}.log"
    (LOGS / f"{step.name}.xml").unlink(missing_ok=True)
    end = time.monotonic() + step.seconds_max
    with path.open("w", encoding="utf-8") as log:
        is_good = all(
            run_command(command, log, max(1, end - time.monotonic())) for command in step.commands
        )
    text = path.read_text(encoding="utf-8", errors="replace")
    result = step.count(step.name, text, is_good)
    if result.failed and not result.details:
        lines = FAILED_LINE.findall(text) or text.splitlines()[-DETAILS_MAX:]
        result = result._replace(details=lines)
    return result


def report(step, result, seconds):
    parts = [f"{result.passed} passed"]
    parts += [f"{result.failed} failed"] if result.failed else []
    parts += [f"{result.skipped} skipped"] if result.skipped else []
    verdict = "FAILED" if result.failed else "ok"
    print(f"{verdict:<7}{seconds:6.1f} s  {', '.join(parts)}")
    shown = result.details[:DETAILS_MAX]
    if len(result.details) > len(shown):
        shown.append(f"... and {len(result.details) - len(shown)} more")
    if result.failed:
        shown.append(f"see {(LOGS / step.name).relative_to(ROOT)}.log")
    for line in shown:
        print(f"    {line.strip()}")
    sys.stdout.flush()


def choose(arguments):
    """The steps asked for, in order, with those that they need."""
    if not arguments.only:
        level = "quick" if arguments.quick else "all" if arguments.all else "default"
        return [step for step in STEPS if LEVELS.index(step.level) <= LEVELS.index(level)]
    wanted = set(arguments.only)
    for step in reversed(STEPS):
        if step.name in wanted:
            wanted.update(step.needs)
    return [step for step in STEPS if step.name in wanted]


def run_steps(steps):
    passed = failed = 0
    broken = set()
    for step in steps:
        print(f"{step.name:<14}", end="", flush=True)
        missing = broken.intersection(step.needs)
        if missing:
            broken.add(step.name)
            failed += 1
            print(f"FAILED  not run, as {' '.join(missing)} failed", flush=True)
            continue
        start = time.monotonic()
        result = run_step(step)
        report(step, result, time.monotonic() - start)
        passed, failed = passed + result.passed, failed + result.failed
        if result.failed:
            broken.add(step.name)
    return passed, failed


def main():
    parser = argparse.ArgumentParser(prog="tests/run")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", metavar="STEP", action="append", choices=[s.name for s in STEPS])
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        for step in STEPS:
            print(f"{step.name:<14}{step.level}")
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    passed, failed = run_steps(choose(arguments))
    print(f"{(time.monotonic() - start) / 60:.1f} minutes; logs are in {LOGS.relative_to(ROOT)}/")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
