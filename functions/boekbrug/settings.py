"""The environment of a function, typed and checked once, at its cold start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from pydantic import BaseModel, ConfigDict, model_validator

from .domain.connections import JobKind


class Settings(BaseModel):
    """What the template gives every function. Names are the environment's, in small letters."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stage: str = "local"
    table_name: str
    token_key_id: str
    app_credentials_arn: str
    import_ledger_accounts_queue_url: str
    import_relations_queue_url: str
    export_documents_queue_url: str
    import_payments_queue_url: str
    public_url: str = ""
    teamleader_auth_url: str
    teamleader_api_url: str
    exact_base_url: str = ""
    clock_url: str = ""
    aws_endpoint_url: str = ""

    @model_validator(mode="after")
    def _only_locally(self) -> Settings:
        if self.clock_url and not self.aws_endpoint_url:
            raise ValueError("CLOCK_URL is for the local stage: it needs AWS_ENDPOINT_URL")
        return self

    def queues(self) -> dict[JobKind, str]:
        return {
            JobKind.ACCOUNTS: self.import_ledger_accounts_queue_url,
            JobKind.RELATIONS: self.import_relations_queue_url,
            JobKind.DOCUMENTS: self.export_documents_queue_url,
            JobKind.PAYMENTS: self.import_payments_queue_url,
        }


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises: pydantic.ValidationError, which names what is missing."""
    return Settings.model_validate({name.lower(): value for name, value in environment.items()})


@cache
def settings() -> Settings:
    return read_settings(os.environ)
