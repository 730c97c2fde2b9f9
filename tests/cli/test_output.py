"""What commands write."""

import pytest
from rich.table import Table

from cli.output import stdout_console


def test_a_table_in_a_pipe_keeps_its_columns_whole(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [f"column_{i:02d}" for i in range(9)]
    table = Table(*columns)
    table.add_row(*columns)
    stdout_console().print(table)
    printed = capsys.readouterr().out
    assert all(printed.count(name) == 2 for name in columns)
