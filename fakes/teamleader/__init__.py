"""A fake Teamleader Focus: its OAuth server and its API, as strict as the vendor. What it covers: COVERAGE.md."""

from fakes.teamleader.fake import TeamleaderFake

__all__ = ["TeamleaderFake"]
