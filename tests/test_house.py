"""The walls of the house: who may import whom, read from the source with `ast`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "engine" / "echelon"
MODELS = ROOT / "models" / "echelon_models"

# A module may import those further left, and those that share its place.
ORDER = [
    ["echelon.errors"],
    ["echelon.book"],
    ["echelon.schema"],
    ["echelon.tables", "echelon.validate", "echelon.charts"],
    ["echelon.edits"],
    ["echelon.solvers", "echelon.executor"],
    ["echelon.explain.schema", "echelon.explain.rules", "echelon.explain.limits", "echelon.explain.suggest"],
    ["echelon.family"],
    ["echelon.explain"],
    ["echelon.store"],
    ["echelon.run"],
    ["echelon.study"],
    ["echelon.report"],
    ["echelon.console"],
    ["echelon.shell"],
    ["echelon.cli_study"],
    ["echelon.cli"],
    ["echelon.__main__"],
]


def place(module: str) -> int:
    """Position of a module in ORDER, by its longest listed prefix."""
    for position, names in enumerate(ORDER):
        if any(module == name or module.startswith(f"{name}.") for name in names):
            return position
    raise AssertionError(f"{module} has no place in the order of imports: give it one")


def imports(path: Path) -> set[str]:
    """Modules that a file imports at run time (those under TYPE_CHECKING do not count)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def modules(root: Path) -> list[Path]:
    return sorted(root.rglob("*.py"))


@pytest.mark.parametrize("path", modules(ENGINE), ids=lambda p: str(p.relative_to(ENGINE)))
def test_engine_modules_import_only_to_the_left(path: Path) -> None:
    """One direction of imports keeps the machinery understandable; a way back would tie it in a knot."""
    module = ".".join(["echelon", *path.relative_to(ENGINE).with_suffix("").parts]).removesuffix(".__init__")
    if module == "echelon":
        return
    for imported in imports(path):
        if imported.startswith("echelon."):
            known = [n for names in ORDER for n in names if imported == n or imported.startswith(f"{n}.")]
            assert known, f"{module} imports {imported}, which has no place in the order"
            assert place(imported) <= place(module), f"{module} imports {imported}, which stands to its right"


@pytest.mark.parametrize("path", modules(ENGINE), ids=lambda p: str(p.relative_to(ENGINE)))
def test_the_engine_knows_no_family(path: Path) -> None:
    """Families reach the engine through the entry point only, as anyone else's would."""
    assert not [name for name in imports(path) if name.startswith("echelon_models")]


@pytest.mark.parametrize("path", sorted(MODELS.rglob("recheck*.py")), ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_rechecks_share_nothing_with_the_model(path: Path) -> None:
    """A recheck that used the model's own code would repeat its mistakes."""
    allowed = {"echelon.book", "echelon.errors", "echelon.family", "echelon.tables"}
    own = f"echelon_models.{path.parent.name}.recheck"  # a recheck may be told in several files
    for name in imports(path):
        if name.startswith(own):
            continue
        assert not name.startswith(("pyomo", "highspy", "echelon_models")), f"the recheck imports {name}"
        if name.startswith("echelon."):
            assert any(name == a or name.startswith(f"{a}.") for a in allowed), f"the recheck imports {name}"


@pytest.mark.parametrize("path", [*modules(ENGINE), *modules(MODELS)], ids=lambda p: p.name)
def test_nothing_evaluates_text_or_loads_pickles(path: Path) -> None:
    """A case is data: nothing in it may ever be run."""
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"eval", "exec", "compile", "__import__"}
    assert not imports(path) & {"pickle", "marshal", "shelve", "yaml"}


def test_importing_echelon_has_no_side_effects() -> None:
    """A library that configures logging, warnings or signals on import disturbs the program that imports it."""
    import subprocess
    import sys

    code = (
        "import logging, signal, sys, warnings\n"
        "before = (list(logging.root.handlers), signal.getsignal(signal.SIGINT), sys.excepthook)\n"
        "import echelon\n"
        "after = (list(logging.root.handlers), signal.getsignal(signal.SIGINT), sys.excepthook)\n"
        "assert before == after, (before, after)\n"
        "assert 'echelon_models' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    """The project is used elsewhere."""
    names = ("/" + "work/", "/" + "farm/")
    for path in [*modules(ENGINE), *modules(MODELS), ROOT / "README.md", ROOT / "Makefile"]:
        text = path.read_text(encoding="utf-8")
        assert not any(name in text for name in names), path
