"""The commands of the house, as they travel through queues."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from .domain.connections import JobKind


class RunJob(BaseModel):
    """A nudge: this job may have work. The job's lease is the lock, so twice is harmless."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    administration: str
    kind: JobKind
