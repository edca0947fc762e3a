"""`itr import`: a progress bar around the replay, and the list of lines that did not go in."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from itr.settings import Settings


async def run_import(settings: Settings, mapping: Path, file: Path, *, console: Console) -> None:
    """Replay the file, showing how far it is; then say what went in and what did not, and why."""
    from itr import imports

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task(file.name, total=None)

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        outcome = await imports.run(settings, mapping, file, report)
    console.print(str(outcome), markup=False, soft_wrap=True)
