"""Claims: how any number of runs on one ledger, on one machine or several, share its trials.

A claim is a small file, ``claims/NAME.json``, that says which run holds it, where and since when. It appears
whole or not at all, by a hard link, which is atomic on local and network file systems alike; locks of the
system are not, on some of the latter. A run that ends gives its claims back. One whose run is gone may be
taken: on the same machine, where its process is no more; on another, where its run's file, which every run
renews each few seconds, has not been renewed for some minutes, by the clock of the file system.
"""

import contextlib
import errno
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from trimtab.atomic import TEMPORARY
from trimtab.config import InputError
from trimtab.ledger.files import read_record, write_record
from trimtab.ledger.run_records import ClaimRecord
from trimtab.ledger.runs import GONE, RUNS, process_is_there

CLAIMS = "claims"
_TAKING = ".taking"  # beside a claim while its run is found to be gone; who makes it may take the claim
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class Claims:
    """The claims on a ledger's ``folder``, for the run ``mine`` (``runs.claim_of``)."""

    def __init__(self, folder: Path, mine: ClaimRecord) -> None:
        self.folder, self.ledger, self.mine = folder / CLAIMS, folder, mine
        self._held: set[str] = set()

    def take(self, name: str) -> bool:
        """Claim ``name``; False where another run that is not gone holds it.

        InputError where something else stands in the place of the claim.
        """
        path = self._path(name)
        for place, is_wrong in ((self.folder, Path.is_file), (path, Path.is_dir)):
            if is_wrong(place):
                raise InputError(f"{place}: stands in the place of a claim; delete it and run again")
        self.folder.mkdir(exist_ok=True)
        self._held.add(name)  # before it is: an interrupt may come as soon as the file is there
        if path.exists() or not self._create(path):
            held = self._read(path)
            if held is not None and held.run == self.mine.run:
                return True
            if held is None and not path.exists():  # given back meanwhile
                return self.take(name)
            if not self._is_gone(path, held) or not self._inherit(path, held):
                self._held.discard(name)
                return False
        return True

    def is_free(self, name: str) -> bool:
        """Whether nobody holds ``name`` who is not gone."""
        path = self._path(name)
        return not path.exists() or self._is_gone(path, self._read(path))

    def give_back(self, name: str) -> None:
        """Let others have ``name``."""
        with contextlib.suppress(OSError):
            held = self._read(self._path(name))
            if held is not None and held.run == self.mine.run:
                self._path(name).unlink(missing_ok=True)
        self._held.discard(name)  # at last: an interrupt before it leaves the claim to ``give_all_back``

    def give_all_back(self) -> None:
        """Let others have all that is held; the folder goes with the last claim."""
        for name in list(self._held):
            self.give_back(name)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    @contextlib.contextmanager
    def alone(self, name: str, seconds: float = 0.2) -> Iterator[None]:
        """Hold ``name``; waits until it is free, and looks again every ``seconds``."""
        while not self.take(name):
            time.sleep(seconds)
        try:
            yield
        finally:
            self.give_back(name)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _create(self, path: Path) -> bool:
        """Make the claim, whole; False where there is one."""
        number, name = tempfile.mkstemp(dir=self.folder, prefix=TEMPORARY)
        temporary = Path(name)
        try:
            with os.fdopen(number, "w") as file:
                file.write(self.mine.model_dump_json(indent=1) + "\n")
            os.chmod(temporary, 0o644)
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return self._create_without_links(path)
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def _create_without_links(self, path: Path) -> bool:
        """The same where a file system has no hard links: another may see it empty for a moment."""
        try:
            with path.open("x") as file:
                file.write(self.mine.model_dump_json(indent=1) + "\n")
        except FileExistsError:
            return False
        return True

    def _inherit(self, path: Path, held: ClaimRecord | None) -> bool:
        """Take the claim of a run that is gone; of several that try, one succeeds."""
        taking = path.with_name(path.name + _TAKING)
        if not self._create(taking):
            if self._age(taking) > GONE:  # who made it is gone too
                taking.unlink(missing_ok=True)
            return False
        try:
            if self._read(path) != held or not path.exists():  # another was faster
                return False
            write_record(path, self.mine)
            return True
        finally:
            taking.unlink(missing_ok=True)

    @staticmethod
    def _read(path: Path) -> ClaimRecord | None:
        try:
            return read_record(path, ClaimRecord)
        except InputError:
            return None

    def _is_gone(self, path: Path, held: ClaimRecord | None) -> bool:
        if held is None:  # damaged, or not yet written
            return self._age(path) > GONE
        if held.host == self.mine.host:
            return not process_is_there(held.pid, held.process)
        renewed = self.ledger / RUNS / f"{held.run}.json"
        return self._age(renewed if renewed.exists() else path) > GONE

    def _age(self, path: Path) -> float:
        """Seconds since the file was written, by the clock of the file system that holds it."""
        with contextlib.suppress(OSError):
            written = path.stat().st_mtime
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=TEMPORARY) as now:
                return os.stat(now.name).st_mtime - written
        return 0.0


def gone_claims(folder: Path) -> list[Path]:
    """The claims in a ledger's folder of runs that are gone."""
    me = ClaimRecord(run="", host=socket.gethostname(), pid=os.getpid(), since=time.time())
    claims = Claims(folder, me)
    paths = sorted(path for path in claims.folder.glob("*.json") if not path.name.startswith(TEMPORARY))
    return [path for path in paths if claims.is_free(path.stem)]
