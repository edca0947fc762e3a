"""`itr import`: a progress bar around the replay, and the list of lines that did not go in."""

from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from itr.settings import Settings, WrongSettings

SOMETHING_REFUSED = 3
"""How the command ends when lines did not go in."""


async def run_import(
    settings: Settings,
    mapping: Path,
    file: Path,
    *,
    console: Console,
    dry_run: bool = False,
    rejects: Path | None = None,
) -> None:
    """Replay the file, showing how far it is; then say what went in and what did not, and why.

    The bar goes to `console`, the summary to standard output. Raises WrongSettings for a mapping
    or file nothing can be read of, Exit 3 when a line was refused.
    """
    from itr import imports

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task(file.name, total=None)

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        try:
            outcome = await imports.run(
                settings, mapping, file, report, dry_run=dry_run, rejects=rejects
            )
        except imports.CannotImport as error:
            raise WrongSettings(str(error)) from None
    typer.echo(str(outcome))
    if outcome.refused:
        raise typer.Exit(SOMETHING_REFUSED)
