"""Running migrations: models of the past are shapes of tables, rendered where they change."""

from tortoise.connection import ConnectionHandler
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.schema_generator.state import ModelState, State
from tortoise.migrations.schema_generator.state_apps import StateApps


class _Shapes(StateApps):
    """Models that become tables and are never asked for rows.

    Without a connection Tortoise prepares no queries for them. Operations replace a model that
    changes instead of changing it, so a copy may share the others.
    """

    def clone(
        self,
        model_states: dict[tuple[str, str], ModelState] | None = None,  # noqa: ARG002
    ) -> StateApps:
        """Return the models as they are now, kept while an operation replaces some."""
        kept = _Shapes(connections=self._connections)
        kept.apps = {label: dict(models) for label, models in self.apps.items()}
        return kept


class Migrations(MigrationExecutor):
    """The history of the database, run without preparing anything for rows.

    An operation on rows is written in SQL: the models a `RunPython` is given know no connection.
    """

    async def _project_state(
        self, applied: set[MigrationKey], *, upto: MigrationKey | None = None
    ) -> State:
        state = State(models={}, apps=_Shapes(connections=ConnectionHandler()))
        for key in self._full_plan():
            if key == upto:
                break
            migration = self.loader.graph.nodes[key]
            if key in applied and migration is not None:
                await migration.apply(state, dry_run=True)
        return state
