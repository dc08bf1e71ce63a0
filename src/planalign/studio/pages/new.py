"""Start a run."""

from __future__ import annotations

from asyncio import to_thread
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from nicegui import ui

from planalign.errors import PlanalignError
from planalign.studio import fragments, jobs
from planalign.studio.layout import PATIENCE, button, html, page, set_html

if TYPE_CHECKING:
    from planalign.studio.layout import Studio

_ALL = "all scenarios"


def register(studio: Studio) -> None:
    """Add the page."""

    @ui.page("/new", response_timeout=PATIENCE)
    async def new() -> None:
        files = await to_thread(jobs.configurations, studio.folder)
        with page("New run", "/new"):
            html(
                Markup(
                    '<h1>New run</h1><p class="facts">It goes on when the dashboard ends, and is '
                    "written to {}.</p>"
                ).format(studio.runs.place.folder)
            )
            if files:
                await _Form(studio, files).build()
            else:
                html(
                    fragments.note(
                        f"There is no configuration in {studio.folder}.",
                        "Make one with planalign init, and start the dashboard there.",
                        "warn",
                    )
                )


class _Form:
    """The fields of a new run, and what is wrong with each."""

    def __init__(self, studio: Studio, files: list[str]) -> None:
        self._studio = studio
        self._files = files
        self._fields: dict[str, Any] = {}

    async def build(self) -> None:
        with ui.element("div").classes("card"):
            with ui.element("div").classes("form"):
                stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
                self._add("name", ui.input("Name of the run", value=stamp))
                self._add(
                    "config",
                    ui.select(
                        self._files,
                        label="Configuration",
                        value=self._files[0],
                        on_change=self._adopt,
                    ),
                )
                self._add("first_year", ui.input("First year").props('inputmode="numeric"'))
                self._add("last_year", ui.input("Last year").props('inputmode="numeric"'))
                self._add("seeds", ui.input("Seeds").props('inputmode="numeric"'))
                self._add("scenario", ui.select([_ALL], label="Scenario", value=_ALL))
                self._add("runner", ui.select(list(jobs.RUNNERS), label="Runner", value="direct"))
                configured = 'placeholder="as configured"'
                self._add("threads", ui.input("Threads").props(f'inputmode="numeric" {configured}'))
                self._add("memory_limit", ui.input("Memory limit").props(configured))
                self._plans = ui.checkbox("Record query plans")
            self._said = html(Markup("")).props('id="problems"')
            with ui.element("div").classes("buttons"):
                button("Start the run", self._start, "main")
        await self._adopt()

    def _add(self, name: str, field: Any) -> None:
        # Quasar's own message is below the field, and belongs to it.
        self._fields[name] = field.props(f'outlined data-field="{name}" hide-bottom-space')

    def _values(self) -> dict[str, object]:
        values = {name: field.value for name, field in self._fields.items()}
        values["plans"] = self._plans.value
        return {**values, "scenario": "" if values["scenario"] == _ALL else values["scenario"]}

    async def _adopt(self) -> None:
        """Fill in what the configuration says."""
        from planalign.config import scenario_settings  # noqa: PLC0415 - pydantic

        file = str(self._fields["config"].value)
        try:
            config = await to_thread(jobs.read_configuration, self._studio.folder, file)
        except PlanalignError as error:
            self._tell({"config": str(error)})
            return
        simulation = config.simulation
        self._fields["first_year"].value = str(simulation.start_year)
        self._fields["last_year"].value = str(simulation.end_year)
        self._fields["seeds"].value = str(simulation.replicates)
        self._fields["scenario"].set_options([_ALL, *scenario_settings(config)], value=_ALL)
        self._tell({})

    async def _start(self) -> None:
        runs = self._studio.runs.place
        order, problems = await to_thread(
            jobs.check, self._values(), folder=self._studio.folder, runs=runs.folder
        )
        self._tell(problems)
        if order is None:
            return
        try:
            await to_thread(self._studio.jobs.start, order)
        except (PlanalignError, OSError) as error:
            self._tell({"": f"It could not be started: {error}"})
            return
        ui.navigate.to(fragments.path_of(order.output.name))

    def _tell(self, problems: dict[str, str]) -> None:
        for name, field in self._fields.items():
            field.error = problems.get(name)
            field.props(f'aria-invalid="{"true" if name in problems else "false"}"')
        known = [f"{self._title(name)}{text}" for name, text in problems.items()]
        shown = fragments.note("\n".join(known), kind="error") if known else Markup("")
        set_html(self._said, shown)

    def _title(self, name: str) -> str:
        return f"{self._fields[name].props['label']}: " if name in self._fields else ""
