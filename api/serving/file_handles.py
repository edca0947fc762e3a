"""How many files and connections the operating system lets a process have open."""

from __future__ import annotations

from itr.settings import Settings, WrongSettings

BACKLOG = 256
"""Connections taken at a time, before any of them can be looked at."""
_FILES = 64
_FEWEST_CONNECTIONS = 500
_MOST = 65_536


def needed(settings: Settings) -> int:
    """The fewest handles a server works with: database, files, a backlog, and some clients."""
    return _spoken_for(settings) + _FEWEST_CONNECTIONS


def connections(settings: Settings) -> int:
    """How many clients' connections the present limit leaves room for."""
    return max(_limit() - _spoken_for(settings), _FEWEST_CONNECTIONS)


def ensure_file_handles(settings: Settings) -> None:
    """Have as many as the system allows; raises WrongSettings where those are too few."""
    _raise_limit()
    limit, least = _limit(), needed(settings)
    if limit < least:
        raise WrongSettings(
            f"本进程最多可打开 {limit} 个文件和连接，至少需要 {least} 个，请提高限额（ulimit -n）/"
            f" this process may open {limit} files and connections, it needs {least} at least:"
            " raise the limit (ulimit -n)."
        )


def _spoken_for(settings: Settings) -> int:
    return 3 * settings.database_pool + _FILES + BACKLOG


def _raise_limit() -> None:
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return


def _limit() -> int:
    try:
        import resource
    except ImportError:
        return _MOST
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if soft == resource.RLIM_INFINITY else min(soft, _MOST)
