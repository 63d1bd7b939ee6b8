"""A Daphne that a test may kill and start again at the same address."""

from dataclasses import dataclass, field
from pathlib import Path

from nsed_web import programs
from nsed_web.processes import Child
from tests.fixtures_processes import Processes, answers, free_port, our_environment


@dataclass
class Web:
    log: Path
    port: int = field(default_factory=free_port)
    child: Child | None = None

    def __post_init__(self) -> None:
        self.processes = Processes(log=self.log, environment=our_environment())
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns once it answers."""
        child = self.processes.start(programs.web(port=self.port, public_url=self.address))
        self.processes.wait_until(lambda: answers(self.port), child)
        self.child = child

    def kill(self) -> None:
        if self.child is not None:
            self.processes.kill(self.child)
