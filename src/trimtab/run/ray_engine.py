"""Ray as an engine: a task for each job, with the cores, memory and share of a GPU that it declares.

Where the nodes see the ledger and the cached tokens, a task works on them directly. Else its inputs go to
each node once, through Ray's object store, and what it leaves comes back: the driver alone writes the ledger.
"""

import importlib.util
import logging
import os
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trimtab.atomic import TEMPORARY
from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import RuntimeRecord
from trimtab.plan.plan import Plan
from trimtab.run.carrying import inputs_of, packed, take_back
from trimtab.run.ended import Ended
from trimtab.run.engine import Place
from trimtab.run.pool import Job
from trimtab.run.stopping import held_back

_LOOK = 0.2  # seconds between two looks at what ended, and at news
_FAREWELL = 120.0  # seconds that tasks have to write their checkpoints when the run is asked to stop
_BASE_MEMORY = 2**30  # bytes of a process with torch; a trial's own come on top:
_BYTES_PER_PARAMETER = 16  # weight, gradient and Adam's moments, in fp32
# A trial's share of a GPU, by parameters: small ones leave most of one idle.
_SHARES = ((15e6, 0.25), (50e6, 0.5))


def ray_place(address: str, options: Mapping[str, str]) -> Place:
    """A Ray cluster at ``address``, else the one that RAY_ADDRESS names, else one on this machine.

    InputError where Ray is not installed, or does not answer.
    """
    if importlib.util.find_spec("ray") is None:
        raise InputError("--engine ray: needs Ray, which is not installed; pip install 'trimtab[ray]'")
    engine = RayEngine(address)
    return Place(engine, engine.begin, engine.slots, check_devices=engine.check_devices)


@dataclass(frozen=True)
class RayEngine:
    """See ``Engine``; shared: whether the nodes see this machine's files, found out where it is None."""

    address: str = ""
    shared: bool | None = None
    _put: dict[Path, Any] = field(default_factory=dict)

    def begin(self, jobs: int | None, device: str) -> RuntimeRecord:
        """Threads for the smallest node; the device that all the cluster's trials can have."""
        nodes = self._nodes()
        cores = min((int(each["CPU"]) for each in nodes if each.get("CPU")), default=1)
        has_gpus = any(each.get("GPU") for each in nodes)
        if device == "cuda" and not has_gpus:
            raise InputError("--device cuda: no node of Ray has a GPU; leave --device out")
        chosen = "cuda" if has_gpus and device != "cpu" else "cpu"
        return RuntimeRecord(threads=max(1, cores // 8), device=chosen)

    def slots(self, runtime: RuntimeRecord, plan: Plan | None = None, ledger: Ledger | None = None) -> int:
        """As many as the cluster can hold; on GPUs, Ray itself lets those wait that have no share yet."""
        total, devices = self._connected().cluster_resources(), plan.devices if plan else 1
        if runtime.device == "cuda":
            return max(1, int(total.get("GPU", 0) / (_SHARES[0][1] if devices == 1 else devices)))
        return max(1, int(total.get("CPU", 1)) // (runtime.threads * devices))

    def check_devices(self, count: int) -> None:
        """InputError where no node has so many GPUs."""
        most = max((int(each.get("GPU", 0)) for each in self._nodes()), default=0)
        if count > most:
            raise InputError(f"devices = {count}: no node of Ray has more than {most} GPUs; lower it")

    def __call__(
        self,
        jobs: Sequence[Job[Any, Any]],
        processes: int,
        threads: int,
        on_news: Callable[[int, Any], None],
        on_end: Callable[[int, Ended[Any]], Job[Any, Any] | None],
        *,
        on_start: Callable[[int], bool] = lambda number: True,
        more: Callable[[], Sequence[Job[Any, Any]] | None] = lambda: (),
    ) -> None:
        """See ``Engine``. A job whose node was lost is told as such, and may be run again elsewhere."""
        ray = self._connected()
        self._check_cores(threads * max((getattr(each, "devices", 1) for each in jobs), default=1))
        with ExitStack() as stack:
            tasks = _Tasks(ray, threads, self._put, self.shared)
            stack.callback(tasks.close)
            stack.enter_context(redirect_stdout(sys.stderr))  # Ray itself says there what it lost
            requests = stack.enter_context(held_back())
            waiting, given = deque(enumerate(jobs)), len(jobs)
            while requests.number is None:
                if not waiting and not tasks.running:
                    further = more()
                    if further is None:
                        time.sleep(_LOOK)
                        continue
                    if not further:
                        return
                    waiting.extend(enumerate(further, given))
                    given += len(further)
                while waiting and len(tasks.running) < processes:
                    number, job = waiting.popleft()
                    if number in tasks.told or on_start(number):
                        tasks.submit(number, job)
                finished = tasks.ended(_LOOK)
                for number, news in tasks.news():
                    on_news(number, news)
                for number, ended in finished:
                    again = on_end(number, ended)
                    if again is not None:
                        waiting.appendleft((number, again))
                    else:
                        tasks.told.discard(number)
            if requests.number is not None:
                for number, ended in tasks.stop():
                    on_end(number, ended)

    def _connected(self) -> Any:
        """The module ray, connected."""
        import ray

        if not ray.is_initialized():
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            kept = {name: value for name, value in os.environ.items() if name.startswith("TRIMTAB_")}
            try:
                ray.init(
                    address=self.address or None,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    runtime_env={"env_vars": kept},
                )
            except (ConnectionError, RuntimeError, ValueError) as error:
                words = str(error).splitlines()[0]
                raise InputError(
                    f"--engine ray={self.address}: {words}; start Ray there, or name another"
                ) from error
        return ray

    def _nodes(self) -> list[dict[str, float]]:
        """The resources of each node that is alive."""
        return [each["Resources"] for each in self._connected().nodes() if each["Alive"]]

    def _check_cores(self, threads: int) -> None:
        """InputError where no node could ever run a job."""
        most = max((each.get("CPU", 0) for each in self._nodes()), default=0)
        if most < threads:
            raise InputError(
                f"--engine ray: a trial needs {threads} cores, and no node of Ray has so many; choose "
                "another folder with --out DIR, or lower devices where the study sets it"
            )


class _Tasks:
    """The tasks that run now. told: numbers of jobs that were begun, perhaps more than once."""

    def __init__(self, ray: Any, threads: int, put: dict[Path, Any], shared: bool | None) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as OnNode

        from trimtab.run.ray_tasks import Board, do, see

        self.ray, self.threads, self._put, self._shared = ray, threads, put, shared
        self.running: dict[Any, tuple[int, Job[Any, Any]]] = {}
        self.told: set[int] = set()
        self._name = f"trimtab-ray-{uuid.uuid4().hex}"
        here = OnNode(ray.get_runtime_context().get_node_id(), soft=False)
        # Ray starts one anew whose process is killed, and asks it again.
        lasting = {"max_restarts": -1, "max_task_retries": -1}
        self._board = ray.remote(Board).options(num_cpus=0, scheduling_strategy=here, **lasting).remote()
        self._do, self._see, self._on_node = ray.remote(do), ray.remote(see), OnNode

    def submit(self, number: int, job: Job[Any, Any]) -> None:
        """Begin a job where there is room for it."""
        self.told.add(number)
        declared = self._resources(job)
        task = self._do.options(max_retries=0, **declared)
        share = declared.get("num_gpus", 1.0)
        reference = task.remote(number, job, self.threads, self._board, self._carried(job), share)
        self.running[reference] = number, job

    def news(self) -> list[tuple[int, Any]]:
        """What the running jobs reported since the last time."""
        return [each for each in self.ray.get(self._board.fetch.remote()) if each[0] in self.told]

    def ended(self, seconds: float) -> list[tuple[int, Ended[Any]]]:
        """The jobs that have ended, as soon as there is one, or after so many seconds."""
        if not self.running:
            return []
        ready, _ = self.ray.wait(list(self.running), num_returns=1, timeout=seconds)
        return [self._end_of(each) for each in ready]

    def stop(self) -> list[tuple[int, Ended[Any]]]:
        """Ask all to stop; those that say how they ended."""
        self._board.stop.remote()
        deadline, found = time.monotonic() + _FAREWELL, []
        while self.running and time.monotonic() < deadline:
            found += [each for each in self.ended(1.0) if each[1].lost is None]
        return found

    def close(self) -> None:
        """End what still runs."""
        for each in self.running:
            self.ray.cancel(each, force=True)
        self.ray.kill(self._board)

    def _end_of(self, reference: Any) -> tuple[int, Ended[Any]]:
        number, job = self.running.pop(reference)
        try:
            returned = self.ray.get(reference)
        except self.ray.exceptions.RayTaskError as error:  # in what surrounds the job
            return number, Ended(traceback=str(error))
        except self.ray.exceptions.RayError as error:
            words = " ".join(str(error).split())
            return number, Ended(lost=f"its task of Ray was lost: {words.partition('. ')[0][:200]}")
        if returned.files is not None and hasattr(job, "folder"):
            take_back(returned.files, job.folder)
        return number, returned.ended

    def _resources(self, job: Any) -> dict[str, Any]:
        """What a job declares: cores, memory, and a share of a GPU."""
        devices = getattr(job, "devices", 1)
        found: dict[str, Any] = {"num_cpus": self.threads * devices}
        if getattr(job, "device", "cpu") == "cuda":
            found["num_gpus"] = (
                float(devices)
                if devices > 1
                else next((share for most, share in _SHARES if job.parameters <= most), 1.0)
            )
        else:
            found["memory"] = devices * (_BASE_MEMORY + _BYTES_PER_PARAMETER * job.parameters)
        return found

    def _carried(self, job: Any) -> Any:
        from trimtab.run.ray_tasks import Carried

        inputs = inputs_of(job)
        if self._is_shared(job, inputs):
            return None
        for path in inputs:
            if path not in self._put:
                self._put[path] = self.ray.put(packed(path))
        own = packed(job.folder) if hasattr(job, "folder") else {}
        return Carried(self._name, {path: self._put[path] for path in inputs}, own)

    def _is_shared(self, job: Any, inputs: list[Path]) -> bool:
        """Whether every node sees this machine's files; asked once, with the first job."""
        if self._shared is None:
            marks = []
            if hasattr(job, "folder"):
                job.folder.parent.mkdir(parents=True, exist_ok=True)
                marks = [job.folder.parent / f"{TEMPORARY}{self._name}"]
                marks[0].touch()
            nodes = [each["NodeID"] for each in self.ray.nodes() if each["Alive"]]
            asked = [
                self._see.options(num_cpus=0, scheduling_strategy=self._on_node(each, soft=False)).remote(
                    [*marks, *inputs]
                )
                for each in nodes
            ]
            self._shared = all(self.ray.get(asked))
            for mark in marks:
                mark.unlink()
        return self._shared
