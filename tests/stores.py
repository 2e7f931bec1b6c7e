"""What tests of the feedback store share."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, text

from multillm.feedback import FeedbackRecord

SERVED = FeedbackRecord("run", 0, "Define entropy.", "qa_simple", 0.1, "model::light", 1, served_label="model::light")


@contextmanager
def another_connection(url: str) -> Iterator[Connection]:
    """A transaction of somebody else in the same database."""
    engine = create_engine(
        f"sqlite:///{url}" if "://" not in url else url.replace("postgresql:", "postgresql+psycopg:")
    )
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def execute(url: str, statement: str) -> None:
    """Do this behind the store's back."""
    with another_connection(url) as connection:
        connection.execute(text(statement))
