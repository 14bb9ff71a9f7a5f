"""Everything that any logger says, at every level."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class Listener(logging.Handler):
    """Keeps what is logged as texts: the message, its arguments, its attributes, its exception."""

    def __init__(self) -> None:
        super().__init__(level=1)
        self.texts: list[str] = []
        self.records: list[logging.LogRecord] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.records.append(record)
        self.texts += [self.format(record), repr(record.args), repr(vars(record))]


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen to all loggers for a block, and make them say everything."""
    root, listener = logging.getLogger(), Listener()
    known = [root, *map(logging.getLogger, list(logging.Logger.manager.loggerDict))]
    levels = [(logger, logger.level) for logger in known]
    for logger in known:
        logger.setLevel(1 if logger is root else logging.NOTSET)
    root.addHandler(listener)
    try:
        yield listener
    finally:
        root.removeHandler(listener)
        for logger, level in levels:
            logger.setLevel(level)
