"""What every test may ask for. Plugins: databases, processes, and what counts as a skipped test."""

pytest_plugins = ["tests.fixtures_database", "tests.fixtures_processes", "tests.fixtures_browser"]
