"""Kernels that are ready before they are asked for.

Starting a kernel costs seconds, nearly all of them imports. So a worker (itself a fork of a host that has imported
everything) forks once more before it has a thread or an event loop: the child waits on a pipe, and when papermill asks
for a kernel it becomes one. It stays a process of its own: it may raise, hang or die, and the worker sees how.

It plugs in where jupyter_client provides for it, as a provisioner. Where processes cannot be forked (`can_fork`), the
same manager starts ordinary kernels.
"""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import json
import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, cast

import numpy as np
from jupyter_client.connect import KernelConnectionInfo, port_names
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from jupyter_core.paths import secure_write

from workbench.errors import RunError

__all__ = ["Waiting", "can_fork", "die_with_parent", "manager_for"]

_PR_SET_PDEATHSIG: Final = 1


def can_fork() -> bool:
    """Tell whether processes are forked here: on Linux. macOS could, but its system libraries do not survive it."""
    return sys.platform.startswith("linux")


def die_with_parent(parent: int) -> None:
    """Have the system kill this process as soon as the process `parent` that forked it ends, however it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(1)


@dataclass
class Waiting:
    """A forked child that waits for the order to become a kernel.

    To jupyter_client it looks like the `subprocess.Popen` of an ordinary kernel.

    Parameters
    ----------
    pid : int
    orders, answers : int
        File descriptors of the pipes to and from the child.
    """

    pid: int
    orders: int
    answers: int
    returncode: int | None = None
    stdin = stdout = stderr = None

    @classmethod
    def fork(cls) -> Waiting:
        """Fork the child. To be called before this process has threads; the child never returns from here."""
        orders_in, orders_out = os.pipe()
        answers_in, answers_out = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(orders_out)
            os.close(answers_in)
            _live_as_kernel(parent, orders_in, answers_out)
        os.close(orders_in)
        os.close(answers_out)
        return cls(pid, orders_out, answers_in)

    def order(self, arguments: list[str], folder: str) -> None:
        """Tell the child to become a kernel with these command-line arguments in this working directory."""
        os.write(self.orders, json.dumps({"arguments": arguments, "folder": folder}).encode() + b"\n")

    async def answered(self) -> bool:
        """Wait until the kernel listens on its ports; False when it ended instead."""
        return bool(await asyncio.get_running_loop().run_in_executor(None, os.read, self.answers, 1))

    def poll(self) -> int | None:
        """Give the exit code (negative: the signal that ended it), or None while the child runs."""
        return self._reap(os.WNOHANG)

    def wait(self) -> int | None:
        """Wait for the end and give the exit code."""
        return self._reap(0)

    def _reap(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Signal the child unless its end is already known. Safe inside a signal handler."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask the child to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the child now."""
        self.send_signal(signal.SIGKILL)


def _live_as_kernel(parent: int, orders: int, answers: int) -> NoReturn:
    code = 0
    try:
        die_with_parent(parent)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with os.fdopen(orders) as stream:
            line = stream.readline()
        if line:  # else the worker ended without asking
            _become_kernel(json.loads(line), answers, parent)
    except SystemExit:
        pass
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    atexit._run_exitfuncs()  # what the notebook registered; the rest of the interpreter's farewell is not needed
    os._exit(code)


def _become_kernel(order: dict[str, Any], answers: int, parent: int) -> None:
    from ipykernel.kernelapp import IPKernelApp

    os.chdir(order["folder"])
    sys.argv[:] = ["ipykernel_launcher.py", *order["arguments"]]
    np.random.seed()  # a fork inherits the state; unseeded notebooks must not all draw the same numbers
    app = cast(Any, IPKernelApp.instance(parent_handle=parent, log_level=logging.CRITICAL))
    app.initialize(order["arguments"])
    os.write(answers, b"1")
    os.close(answers)
    app.start()


class _WaitingProvisioner(LocalProvisioner):
    """Starts a kernel by waking the child that waits to become one."""

    waiting: Waiting

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Prepare the command; the kernel chooses its ports itself, so no other process can take them meanwhile."""
        manager = cast(AsyncKernelManager, self.parent)
        connection: dict[str, Any] = dict.fromkeys(port_names, 0)
        connection |= {"ip": manager.ip, "transport": manager.transport, "kernel_name": manager.kernel_name}
        connection |= {"key": manager.session.key.decode(), "signature_scheme": manager.session.signature_scheme}
        with secure_write(manager.connection_file) as stream:
            json.dump(connection, stream)
        command = manager.format_kernel_cmd(extra_arguments=kwargs.pop("extra_arguments", []))
        return await KernelProvisionerBase.pre_launch(self, cmd=command, **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Wake the child and read from the connection file which ports it listens on."""
        manager = cast(AsyncKernelManager, self.parent)
        self.process = cast(Any, self.waiting)
        self.pid = self.waiting.pid
        self.waiting.order(cmd[cmd.index("ipykernel_launcher") + 1 :], str(kwargs.get("cwd") or Path.cwd()))
        if not await self.waiting.answered():
            raise RunError("the kernel ended before it was ready")
        info = json.loads(Path(manager.connection_file).read_text())
        info["key"] = info["key"].encode()
        manager.load_connection_info(info)
        self.connection_info = info
        return self.connection_info


def manager_for(waiting: Waiting | None, folder: Path) -> AsyncKernelManager:
    """Make the manager that papermill starts its kernel with.

    Parameters
    ----------
    waiting : Waiting, optional
        The child to wake; None starts an ordinary kernel.
    folder : Path
        A private folder for the connection file.
    """
    manager = AsyncKernelManager(kernel_name="python3", connection_file=str(folder / "kernel.json"))
    manager.shutdown_wait_time = 2.0
    if waiting is not None:
        manager.cache_ports = False
        provisioner = _WaitingProvisioner(parent=manager, kernel_spec=manager.kernel_spec, kernel_id="waiting")
        provisioner.waiting = waiting
        manager.provisioner = provisioner
    return manager
