"""`forestall retrain`: the service's new months, a model trained with them, a branch that says whether it is better.

Everything is made in a repository of its own (`scratch`), which shares DVC's cache. Only the end touches the user's:
one branch, at once. Who is killed before leaves nothing but what is in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from forestall.comparison.report import Report, markdown
from forestall.errors import ForestallError
from forestall.features.labels import TEST
from forestall.pipeline import process
from forestall.pipeline.compare import compare
from forestall.pipeline.due import MADE_BY, RUN, is_due, trailers
from forestall.pipeline.process import FailedError
from forestall.pipeline.revisions import Commit, RevisionError, git
from forestall.pipeline.scratch import IDENTITY, RerunError, Scratch, scratch
from forestall.pipeline.update import Updated, months_in, update_dataset
from forestall.retraining.alone import alone
from forestall.serving.live import Live

Say = Callable[[str], None]
REPORT = Path("metrics/retraining.md")
PASSES, FAILS = "Passes", "Does not pass"
BRANCH = "retrain"
LOCK = ".dvc/tmp/forestall-retrain.lock"


@dataclass(frozen=True)
class Asked:
    """What to train.

    name: of the dataset. start: the commit to begin from. champion: the commit of what is served; None where nothing
    is. bundle: the folder of the model in service. if_due: only where the policy says so. run: of a scheduler, which
    may try more than once.
    """

    name: str
    start: Commit
    champion: Commit | None
    bundle: Path
    if_due: bool = False
    run: str = ""


@dataclass(frozen=True)
class Retrained:
    """What came of it.

    why: nothing was trained; empty where something was. branch: where it is to be found. passed, report: the gate's
    verdict, and the whole in Markdown, as they stand there: the candidate against what is served, or the commit that it
    began from where nothing is; on the test fold, which neither has seen.
    """

    why: str = ""
    branch: str | None = None
    passed: bool = False
    report: str = ""


def retrain(asked: Asked, live: Live, root: Path, say: Say) -> Retrained:
    """Train with what the service has learnt of a dataset, and leave a branch `retrain/<month>` with the verdict.

    Raises:
        ForestallError: another one is under way, a branch is in the way, the months cannot be taken, or a stage
            fails; the repository is as it was.
    """
    _check_room(root)
    lock = root / LOCK
    lock.parent.mkdir(parents=True, exist_ok=True)
    with alone(lock.open("w"), "Another `forestall retrain`"), scratch(root) as place, _named(place):
        if (branch := _made_before(asked.run, root)) is not None:
            say(f"Another try of this run has made {branch}.")
            return _retrained(branch, root)
        folder = _checked_out(place, asked.start)
        programs = place.environment(place.tree(asked.start))
        _brought(place, folder, programs, asked.name)
        found = update_dataset(asked.name, live, folder, say)
        if why := _held_back(asked, found, live, folder, root, say):
            return Retrained(why)
        month = max(months_in(found.files))
        say(f"Training with the months up to {month}: {len(found.new)} new files.")
        ran = place.repro(folder, programs)
        say(f"Ran: {', '.join(ran) or 'nothing, all of it was in the cache'}.")
        notes = trailers(found.at, month, asked.run)
        candidate = _committed(folder, f"Retrain with the months up to {month}", notes)
        # By its name: a hash in a verdict's first line tells nobody what it is.
        base = replace(asked.champion, name="what is served") if asked.champion else asked.start
        report = _judged(candidate, base, folder)
        _write_report(folder, report)
        verdict = PASSES if report.passed else FAILS
        final = _committed(folder, f"{verdict} the gate against {base.commit[:12]}", notes, REPORT)
        return _retrained(_given(root, folder, final, f"{BRANCH}/{month}"), root)


def _made_before(run: str, root: Path) -> str | None:
    """The branch of a try that was killed, or lost its answer, after it had made one."""
    every = git(root, "for-each-ref", "--format=%(refname:lstrip=2)", f"refs/heads/{BRANCH}/").stdout.split()
    asked = f"%(trailers:key={RUN},valueonly)"
    return next((one for one in every if run and _logged(root, one, asked) == run), None)


def _retrained(branch: str, root: Path) -> Retrained:
    report = git(root, "show", f"{branch}:{REPORT}").stdout
    return Retrained("", branch, _logged(root, branch, "%s").startswith(PASSES), report)


def _check_room(root: Path) -> None:
    """Git cannot have a branch `retrain` beside `retrain/<month>`; said before the training, which takes hours."""
    if git(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{BRANCH}", check=False).returncode == 0:
        raise RevisionError(
            f"The branch {BRANCH} is in the way of {BRANCH}/<month>. `git branch -m {BRANCH} <name>`, then retrain."
        )


@contextmanager
def _named(place: Scratch) -> Iterator[None]:
    """An error names files as the repository does; where they lay is gone when it is read."""
    lay = f"{place.folder / BRANCH}/"
    try:
        yield
    except ForestallError as error:
        if lay not in str(error):
            raise
        raise RerunError(str(error).replace(lay, "")) from error


def _held_back(asked: Asked, found: Updated, live: Live, folder: Path, root: Path, say: Say) -> str:
    """Why nothing is to be trained; empty where something is."""
    if not months_in(found.new):
        return "The service has learnt no month that the dataset does not have."
    if not asked.if_due:
        return ""
    decision = is_due(found, live, asked.bundle, folder, root)
    if not decision.due:
        return f"Not due. {decision.why}"
    say(f"Due. {decision.why}")
    return ""


def _checked_out(place: Scratch, start: Commit) -> Path:
    """A repository that stands at a commit, with nothing changed."""
    folder = place.checkout(place.tree(start), BRANCH)
    git(folder, "reset", "--quiet", "--soft", start.commit)
    return folder


def _brought(place: Scratch, folder: Path, programs: Path, name: str) -> None:
    """The dataset's tables: from DVC's cache, or a remote."""
    pointer = f"data/raw/{name}.dvc"
    if not (folder / pointer).is_file():
        return  # `update_dataset` says what that means
    for words in (["dvc", "checkout", "--quiet", pointer], ["dvc", "pull", "--quiet", pointer]):
        try:
            process.run(words, folder, programs, place.folder)
        except FailedError as error:
            last = error.last
        else:
            return
    raise RerunError(f"{pointer}: its tables are neither in the cache nor in a remote ({last}).")


def _committed(folder: Path, message: str, notes: list[str], *paths: Path) -> Commit:
    """All that is changed, or these files, on top; notes: trailers of the message."""
    git(folder, "add", "--all", "--", *map(str, paths or [Path()]))
    said = (word for note in notes for word in ("--trailer", note))
    git(folder, *_identity(folder), "commit", "--quiet", "--message", message, *said)
    commit = git(folder, "rev-parse", "HEAD").stdout.strip()
    return Commit(folder, "the candidate", commit)


def _identity(folder: Path) -> tuple[str, ...]:
    """Who Git says it is; a scheduler may be nobody."""
    known = git(folder, "config", "user.email", check=False).stdout.strip()
    return () if known else IDENTITY


def _judged(candidate: Commit, base: Commit, folder: Path) -> Report:
    """On the latest months: neither was trained on them, nor had its thresholds chosen there."""
    return compare(replace(base, root=folder), candidate, folder, TEST)


def _write_report(folder: Path, report: Report) -> None:
    (folder / REPORT).parent.mkdir(exist_ok=True)
    (folder / REPORT).write_text(markdown(report, gated=True), encoding="utf-8", newline="\n")


def _given(root: Path, folder: Path, final: Commit, branch: str) -> str:
    """The branch in the user's repository, moved there if it is one of ours.

    Raises:
        RevisionError: somebody else has committed to a branch of that name, or it is checked out.
    """
    held = git(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", check=False).stdout.strip()
    if held:
        if _outcome(root, held) == _outcome(folder, final.commit):
            return branch
        if MADE_BY not in _logged(root, held, "%B"):
            raise RevisionError(
                f"{branch} has other commits on top. Merge it, rename it or delete it, then retrain."
            )
        if f"branch refs/heads/{branch}\n" in git(root, "worktree", "list", "--porcelain").stdout:
            raise RevisionError(
                f"{branch} is checked out, and would be another one. Check another branch out, then retrain: all that "
                "was made is in the cache."
            )
    git(root, "fetch", "--quiet", str(folder), f"+{final.commit}:refs/heads/{branch}")
    return branch


def _outcome(place: Path, final: str) -> tuple[str, str]:
    """A candidate's files, and its verdict; the report names its commit, which is of another second each time."""
    return _logged(place, f"{final}~1", "%T"), _logged(place, final, "%s")


def _logged(place: Path, commit: str, what: str) -> str:
    return git(place, "log", "-1", f"--format={what}", commit, check=False).stdout.strip()
