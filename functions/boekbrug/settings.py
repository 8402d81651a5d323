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
    clock_url: str = ""
    vendor_hosts: str = ""  # "exact=http://127.0.0.1:8101;teamleader=http://127.0.0.1:8102,http://127.0.0.1:8103"
    aws_endpoint_url: str = ""

    @model_validator(mode="after")
    def _only_locally(self) -> Settings:
        for name in ("clock_url", "vendor_hosts"):
            if getattr(self, name) and not self.aws_endpoint_url:
                raise ValueError(f"{name.upper()} is for the local stage: it needs AWS_ENDPOINT_URL")
        self.hosts()  # what cannot be read is found at the cold start
        return self

    def hosts(self) -> dict[str, tuple[str, str]]:
        """Where vendors are instead of at home: (consent, API) by vendor. Raises ValueError."""
        found = {}
        for part in self.vendor_hosts.split(";") if self.vendor_hosts else ():
            vendor, _, urls = part.partition("=")
            auth_url, _, api_url = urls.partition(",")
            if not (vendor and auth_url.startswith("http")):
                raise ValueError(f"no vendor and its host: {part!r}")
            found[vendor] = (auth_url, api_url or auth_url)
        return found

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
