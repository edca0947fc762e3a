"""Every refusal has its code in the schema, and nothing is loaded to find them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CODES = """
import importlib, pkgutil
from api.resolvers.root import product_schema
codes = {each.name for each in product_schema().get_type_by_name("UserErrorCode").values}

import itr
from itr.errors import DomainError
for module in pkgutil.walk_packages(itr.__path__, "itr."):
    importlib.import_module(module.name)
def tree(error):
    return {error}.union(*(tree(each) for each in error.__subclasses__()))
ours = {each.code for each in tree(DomainError) if each.__module__.startswith("itr.")}
print(sorted(ours ^ codes))
"""
LOADED = """
import sys
from api.resolvers.root import product_schema
product_schema()
print([each for each in ("itr.imports", "itr.demo") if each in sys.modules])
"""


def printed(program: str) -> str:
    """What a new Python, which has loaded nothing yet, prints."""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


def test_the_schema_has_the_code_of_every_refusal_of_the_product():
    assert printed(CODES) == "[]"


def test_serving_loads_neither_the_importer_nor_the_demonstration():
    assert printed(LOADED) == "[]"
