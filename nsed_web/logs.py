"""One line of log for one record, whatever is in it: a reply of a model must not be able to write lines of
its own."""

import logging


class OneLine(logging.Formatter):
    """time level logger: message; a traceback follows on the same line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\r", "\\r").replace("\n", "\\n")
