"""One process, one run: executes a notebook, makes its page and leaves a report for the parent.

The report is a small file that appears whole or not at all. Whether the run succeeded is judged from papermill's
exceptions and the kernel's exit code. SIGTERM means that the time is up: the kernel gets an interrupt, so that the
traceback shows where it was, and is killed when it does not react. Nothing here limits time; the parent does.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import RunError
from workbench.reporting.job import Notice, Page, Status
from workbench.reporting.results import collect

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

    from workbench.reporting.kernels import Waiting

__all__ = ["Report", "Task", "strip_colours", "work"]

_INTERRUPT_S: Final = 3.0  # how long an interrupted kernel has to say where it was
# Charts as SVG with real text, which the page can put into its own colours and font; a notebook may say otherwise.
_AS_DRAWINGS: Final = (
    "--InlineBackend.figure_formats=svg",
    "--InlineBackend.rc=svg.fonttype=none",
    "--InlineBackend.rc=svg.hashsalt=workbench",
)
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def strip_colours(text: str) -> str:
    """Remove ANSI colour codes."""
    return _COLOUR.sub("", text)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What the parent tells a worker, as JSON.

    Parameters
    ----------
    identity : str
    scratch : str
        A private folder; the report is `report.json` in it.
    notebook, output, folder : str
        Absolute paths.
    html : str, optional
    parameters : dict
    timeout_s : float
        Only to be named in messages.
    page : dict
        The fields of `Page`.
    notice : dict, optional
        The fields of `Notice`: do not execute, only make the page of what is there, with this at the top.
    """

    identity: str
    scratch: str
    notebook: str
    output: str
    folder: str
    html: str | None
    parameters: dict[str, Any]
    timeout_s: float
    page: dict[str, Any]
    notice: dict[str, Any] | None = None


@dataclass(kw_only=True)
class Report:
    """What a worker tells its parent."""

    status: Status = "succeeded"
    error_name: str = ""
    error_message: str = ""
    traceback: str = ""
    cell: int | None = None
    peak_memory_bytes: int | None = None
    results: Mapping[str, Any] | None = None
    rendered: bool = False

    def failed(self, status: Status, name: str, message: str, traceback: str = "") -> None:
        """Note what went wrong."""
        self.status, self.error_name, self.error_message, self.traceback = status, name, message, traceback


class _Papers:
    """papermill's way to files, except that a notebook is never half written when the process is killed."""

    def read(self, path: str) -> str:
        return Path(path).read_text(encoding="utf-8")

    def write(self, text: str, path: str) -> None:
        _write_whole(Path(path), text)

    def pretty_path(self, path: str) -> str:
        return path


def _write_whole(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _engine() -> type:
    """Make papermill's engine, with a quicker way to save in between: formatting costs more than many a cell."""
    from papermill.engines import NBClientEngine

    class Engine(NBClientEngine):  # type: ignore[misc]
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            def save(**_: Any) -> None:
                _write_whole(Path(nb_man.output_path), json.dumps(nb_man.nb))
                nb_man.last_save_time = nb_man.now()

            nb_man.save = save
            return super().execute_managed_notebook(nb_man, kernel_name, **options)

    return Engine


def work(task: Task, *, waiting: Waiting | None = None) -> None:
    """Do one task and write its report.

    Parameters
    ----------
    task : Task
    waiting : Waiting, optional
        The kernel to be; an ordinary one is started when left out.
    """
    report = Report()
    if task.notice is None:
        _Execution(task, report, waiting).run()
    else:
        report.failed(task.notice["status"], "", task.notice["message"], task.notice["traceback"])
    content = _content(task)
    report.results = collect(content)
    if task.html is not None:
        _render(task, report, content)
    _write_whole(Path(task.scratch) / "report.json", json.dumps(asdict(report)))


def _content(task: Task) -> dict[str, Any]:
    source = Path(task.output) if Path(task.output).exists() else Path(task.notebook)
    content: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return content


def _render(task: Task, report: Report, content: dict[str, Any]) -> None:
    from workbench.reporting.render import render_notebook

    if task.notice is not None:
        notice = Notice(**task.notice) if task.notice["cell"] is not None else _where(Notice(**task.notice), content)
    else:
        notice = Notice(status=report.status, message=_sentence(report), traceback=report.traceback, cell=report.cell)
    page = Page(**{**task.page, "facts": tuple(map(tuple, task.page["facts"]))})
    try:
        render_notebook(
            content,
            Path(task.html or ""),
            page=page,
            notice=None if notice.status == "succeeded" else notice,
            folder=Path(task.notebook).parent,
        )
        report.rendered = True
    except Exception as error:
        if report.status == "succeeded":
            report.failed("failed", type(error).__name__, f"the notebook ran, but not its page: {error}")
        sys.excepthook(*sys.exc_info())


def _sentence(report: Report) -> str:
    named = report.status == "failed" and report.error_name
    return f"{report.error_name}: {report.error_message}" if named else report.error_message


def _where(notice: Notice, content: Mapping[str, Any]) -> Notice:
    """Find the cell that a killed run was in: papermill saves which one it has started."""
    for index, cell in enumerate(content["cells"]):
        if cell.get("metadata", {}).get("papermill", {}).get("status") == "running":
            return Notice(**{**asdict(notice), "cell": index})
    return notice


class _Execution:
    """papermill around one kernel, and what its failures mean."""

    def __init__(self, task: Task, report: Report, waiting: Waiting | None) -> None:
        from workbench.reporting.kernels import manager_for

        self.task = task
        self.report = report
        self.manager: AsyncKernelManager = manager_for(waiting, Path(task.scratch))
        self.cell: tuple[int, str] | None = None
        self.time_is_up = False

    def run(self) -> None:
        """Execute, stop the kernel whatever happened, measure."""
        signal.signal(signal.SIGTERM, self._interrupt)
        try:
            self._execute()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            self._stop_kernel()
            self.report.peak_memory_bytes = _peak_of_children()

    def _execute(self) -> None:
        from nbclient.exceptions import DeadKernelError
        from papermill.exceptions import PapermillExecutionError

        try:
            self._papermill()
        except PapermillExecutionError as error:
            self.report.cell = self.cell[0] if self.cell else None
            trace = strip_colours("\n".join(error.traceback))
            if self.time_is_up:
                self._timed_out(trace)
            else:
                self.report.failed("failed", error.ename, strip_colours(error.evalue), trace)
        except (DeadKernelError, RuntimeError, RunError) as error:
            self.report.cell = self.cell[0] if self.cell else None
            if self.time_is_up:
                self._timed_out("")
            else:
                self.report.failed("kernel_died", "KernelDied", self._death(error))
        except Exception as error:
            self.report.failed("failed", type(error).__name__, str(error))

    def _papermill(self) -> None:
        import papermill
        from papermill.engines import papermill_engines
        from papermill.iorw import papermill_io

        papermill_io.register("/", _Papers())
        papermill_engines.register("workbench", _engine())
        papermill.execute_notebook(
            self.task.notebook.replace("{", "{{").replace("}", "}}"),  # papermill fills in {names} in paths
            self.task.output.replace("{", "{{").replace("}", "}}"),
            parameters=self.task.parameters,
            engine_name="workbench",
            kernel_name="python3",
            language="python",
            progress_bar=False,
            cwd=self.task.folder,
            km=self.manager,
            iopub_timeout=60,
            extra_arguments=list(_AS_DRAWINGS),
            on_cell_execute=self._note_cell,
        )

    def _note_cell(self, cell: Mapping[str, Any], cell_index: int) -> None:
        self.cell = cell_index, str(cell["source"])

    def _timed_out(self, trace: str) -> None:
        message = f"stopped at its limit of {self.task.timeout_s:g} s{self._during()}"
        self.report.failed("timed_out", "TimedOut", message, trace)

    def _during(self) -> str:
        if self.cell is None:
            return " before its first cell"
        lines = [line for line in self.cell[1].splitlines() if line.strip()]
        return f" in cell {self.cell[0] + 1} ({lines[0].strip()[:80]})" if lines else ""

    def _death(self, error: Exception) -> str:
        process = self._process()
        code = None if process is None else process.poll()
        if code is None:
            return f"the kernel did not answer{self._during()}: {error}"
        if code >= 0:
            return f"the kernel ended by itself with exit code {code}{self._during()}"
        hint = ": out of memory, or killed from outside" if -code == signal.SIGKILL else ""
        return f"the kernel was ended by {signal.Signals(-code).name}{self._during()}{hint}"

    def _process(self) -> Any:
        return getattr(self.manager.provisioner, "process", None)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.time_is_up = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, self._kill)
        signal.setitimer(signal.ITIMER_REAL, _INTERRUPT_S)
        self._signal(signal.SIGINT)

    def _kill(self, number: int, frame: FrameType | None) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        process = self._process()
        if process is not None:
            try:
                process.send_signal(number)
            except ProcessLookupError:
                pass  # it has just ended

    def _stop_kernel(self) -> None:
        from jupyter_core.utils import run_sync

        process = self._process()
        if process is None:
            return
        try:
            if process.poll() is None:
                run_sync(self.manager.shutdown_kernel)()
        except Exception:
            sys.excepthook(*sys.exc_info())
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def _peak_of_children() -> int | None:
    """Give the largest resident memory that a finished child of this process had: the kernel's."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    """Do the task in the file named on the command line: how workers start where processes cannot be forked."""
    task = Task(**json.loads(Path(sys.argv[-1]).read_text(encoding="utf-8")))
    work(task)
    os._exit(0)
