"""Which revision a name means, and which repository the current folder belongs to."""

from __future__ import annotations

from pathlib import Path

from forestall.comparison.factors import PARAMS
from forestall.pipeline.revisions import WORKSPACE, Commit, Revision, RevisionError, Workspace, git


def revision(name: str, root: Path) -> Revision:
    """The revision of that name: a Git revision, a branch, a DVC experiment, or `workspace`.

    Raises:
        RevisionError: there is none.
    """
    if name == WORKSPACE:
        return Workspace(root)
    # DVC takes no name for HEAD, and fails on bytes that are no text.
    if not name.strip() or not name.isprintable():
        raise RevisionError(f"{name!a} is no revision's name. `git log --oneline` says what there is.")
    # First what it names, then its commit: `:/words^{commit}` would be looked for as words.
    known = _resolved(name, root)
    if known and (also := _experiments_called(name, root)):
        raise RevisionError(
            f"{name} is a Git revision and an experiment, too. "
            f"Say refs/heads/{name} for the branch, {also[0]} for the experiment."
        )
    known = known or _experiment(name, root)
    commit = _resolved(f"{known}^{{commit}}", root)
    if not commit and ":" not in name:
        raise RevisionError(
            f"{name} is no commit that this clone has{if_shallow(root)}. `git fetch` may bring it."
        )
    if not commit:
        raise RevisionError(f"{name} is a file or a folder, not a commit. Leave out what follows the colon.")
    return Commit(root, name, commit)


def top() -> Path:
    """The project's top folder: here, or above here.

    Raises:
        RevisionError: there is none, or it is not in a Git repository.
    """
    here = Path.cwd()
    found = next((one for one in (here, *here.parents) if (one / PARAMS).is_file()), None)
    if found is None:
        raise RevisionError(f"{here}: neither here nor above is a {PARAMS}. Run this inside the repository.")
    done = git(found, "rev-parse", "--is-inside-work-tree", check=False, variables={"LC_ALL": "C"})
    # Somebody else's, which Git says how to allow.
    if done.returncode and "not a git repository" not in done.stderr:
        raise RevisionError(f"Git does not read {found}: {done.stderr.strip()}")
    if done.returncode:
        raise RevisionError(
            f"{found} is not a Git repository, so there are no revisions. Clone the project with git, or `git init`."
        )
    return found


def merge_base(first: str, second: str, root: Path) -> str:
    """The commit at which two revisions parted, as short as Git names it: reports show it.

    Raises:
        RevisionError: they have none in common, as far as this clone knows.
    """
    ends = [revision(name, root).commit or "HEAD" for name in (first, second)]
    done = git(root, "merge-base", *ends, check=False)
    if done.returncode:
        raise RevisionError(f"{first} and {second} have no commit in common{if_shallow(root)}.")
    return git(root, "rev-parse", "--short", done.stdout.strip()).stdout.strip()


def _experiments_called(name: str, root: Path) -> list[str]:
    """The short hashes of DVC's experiments of that name, which are refs/exps/<2>/<38 digits of the base>/<name>."""
    listed = git(
        root, "for-each-ref", "--format=%(objectname:short) %(refname)", "refs/exps", check=False
    ).stdout
    every = (line.split(" ", 1) for line in listed.splitlines())
    return [short for short, reference in every if reference.split("/", 4)[4:] == [name]]


def _resolved(name: str, root: Path) -> str:
    """The hash that Git knows by a name; empty if there is none."""
    done = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", name, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _experiment(name: str, root: Path) -> str:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.scm import resolve_rev

    try:
        return str(resolve_rev(Repo(str(root)).scm, name))
    except DvcException as error:
        raise RevisionError(
            f"{name}: no such revision, branch or experiment{if_shallow(root)}. "
            "`git log --oneline` and `dvc exp list` say what there is."
        ) from error


def if_shallow(root: Path) -> str:
    """Words that say that a clone lacks history, with what to do; empty if it does not."""
    shallow = git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == "true"
    return " in this shallow clone (`git fetch --unshallow` brings the whole history)" if shallow else ""
