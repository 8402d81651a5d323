"""How a fake says no, goes silent, or fails to understand its operator."""

from __future__ import annotations

from werkzeug import Response


class BadCommand(Exception):
    """A call of the control API that makes no sense; answered with 400 and this text."""


class Dropped(ConnectionError):
    """The connection is gone before the answer was (all) there: the server closes the socket."""


class Refusal(Exception):
    """The vendor says no: carries the answer to give."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.get_data(as_text=True))
        self.response = response
