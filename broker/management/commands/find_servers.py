from typing import Any

from django.core.management.base import BaseCommand, CommandError

from broker.inference.probing import probe
from broker.services.panels import sync_found_servers

PORTS = (8000, 8001, 8080, 11434, 1234)
HIGHEST = 65_535


class Command(BaseCommand):
    help = "Looks for OpenAI-compatible model servers on this machine and registers the models they offer."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--ports", nargs="*", type=int, default=PORTS, help="loopback ports to look at")

    def handle(self, *args: Any, ports: list[int], **options: Any) -> None:
        for port in ports:
            if not 1 <= port <= HIGHEST:
                raise CommandError(f"{port} is no port: ports are from 1 to {HIGHEST}.", returncode=2)
        found = probe(ports)
        sync_found_servers(found, ports=ports)
        for server in found:
            self.stdout.write(f"found {server.base_url}: {', '.join(server.models)}")
        if not found:
            self.stdout.write("no model server found on this machine; the simulated experts will answer")
