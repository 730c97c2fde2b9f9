"""Structured logs on standard error; standard output belongs to what a program answers."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog


def configure_logs(service: str, level: Literal["debug", "info", "warning", "error"], style: str) -> None:
    """Sets up structlog for the process; called once, by the program and never by a library.

    Args:
        service: stands in every line as ``service``.
        level: the least severe line that is written.
        style: ``"json"`` for one object per line, ``"console"`` for people.
    """
    render: structlog.typing.Processor
    if style == "json":
        render = structlog.processors.JSONRenderer()
        # Without the local variables: they hold photographs and megabytes of samples.
        plain = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        exceptions: structlog.typing.Processor = structlog.processors.ExceptionRenderer(plain)
    else:
        render = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        exceptions = structlog.processors.StackInfoRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            exceptions,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)
