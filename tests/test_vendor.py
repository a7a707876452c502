"""Scripts of other projects are what `.ci/vendor` fetched."""

from hashlib import sha256
from pathlib import Path

from forestall import vendor

FOLDER = Path(vendor.__file__).parent


def test_every_script_has_its_digest() -> None:
    held = {f"{sha256(path.read_bytes()).hexdigest()}  ./{path.name}" for path in FOLDER.glob("*.js")}
    assert held == set((FOLDER / "SHA256SUMS").read_text().splitlines())


def test_what_draws_is_there_and_leads_nowhere_else() -> None:
    for name in vendor.DRAWING:
        assert "sourceMappingURL" not in vendor.script(name)
