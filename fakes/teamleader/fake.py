"""`TeamleaderFake`: HTTP in and out, OAuth, and what a person does in Teamleader's own screens."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Any

from werkzeug import Request, Response

from fakes.kit import consent, plain_json
from fakes.kit.clock import FakeClock
from fakes.kit.errors import BadCommand, Refusal
from fakes.kit.records import Row
from fakes.kit.server import Fake
from fakes.teamleader import checks, files, routes, seeding, ubl
from fakes.teamleader.checks import error, refuse
from fakes.teamleader.grants import Grant, bad_grant, bad_refresh
from fakes.teamleader.state import State
from fakes.teamleader.webhooks import Delivery, Dispatcher

API_VERSION = "2023-09-26"
DEMO_DOCUMENTS = 200


class TeamleaderFake(Fake):
    """Teamleader Focus: `/oauth2/authorize`, `/oauth2/access_token` and `/<resource>.<action>` on one port."""

    vendor = "teamleader"
    state: State

    def __init__(self, clock: FakeClock | None = None, *, seed: str = "empty") -> None:
        self.redirect_uris: set[str] = set()
        self.other_clients: dict[str, str] = {}  # id -> secret, of integrations besides the first
        self.webhooks = Dispatcher(lambda: self.state.switches)
        super().__init__(clock, seed=seed)

    # --- control -----------------------------------------------------------------------------------------------------

    def reset(self, seed: str) -> None:
        if seed not in ("empty", "demo"):
            raise BadCommand(f"no seed {seed!r}; there are empty and demo")
        self.state = State(self.clock.now, self._emit)
        if seed == "demo":
            from fakes.teamleader.seed import demo_seed  # only who wants the demo pays for it

            self.seed(demo_seed(documents=DEMO_DOCUMENTS).body)

    def seed(self, body: dict[str, Any]) -> dict[str, Any]:
        """Rows per section (see seeding.py), `redirect_uris` and further `clients`."""
        body = dict(body)
        uris = body.pop("redirect_uris", [])
        if wrong := [uri for uri in uris if not consent.is_safe_url(uri)]:
            raise BadCommand(f"redirect_uris must be https, or on this machine: {wrong}")
        self.redirect_uris.update(uris)
        for client in body.pop("clients", []):
            self.other_clients[client["client_id"]] = client["client_secret"]
        return seeding.seed(self.state, body)

    def sections(self) -> dict[str, Callable[[], list[Any] | dict[str, Any]]]:
        return {
            "relations": self._relations,
            "documents": self._documents,
            "open_items": self._open_items,
            "payments": self._payments,
            "journals": list,
            "accounts": lambda: self._rows("product_categories"),
            "vat_codes": lambda: self._rows("tax_rates"),
            "tokens": lambda: self.state.grants.alive(self.clock.now()),
            "counters": self._counters,
        }

    def levers(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            "switches": self._set_switches,
            "ubl": self._load_ubl,
            "issue": self._issue,
            "edit": self._edit,
            "credit": self._credit,
            "pay": self._pay,
            "remove_payments": self._remove_payments,
            "delete_booking": self._delete_booking,
            "delete_company": self._delete_company,
            "uninstall": self._uninstall,
        }

    def described(self, base_url: str) -> dict[str, str]:
        client = {"client_id": self.client_id, "client_secret": self.client_secret}
        return {"auth_url": base_url, "api_url": base_url, **client}

    # --- requests ----------------------------------------------------------------------------------------------------

    def respond(self, request: Request) -> Response:
        match request.path:
            case "/oauth2/authorize":
                return self._authorize(request)
            case "/oauth2/access_token":
                return self._access_token(request)
            case path if path.startswith("/downloads/"):
                return self._download(path.removeprefix("/downloads/"))
        grant = self._session(request)
        try:
            response = self._call(request, grant)
        except Refusal as refusal:
            response = refusal.response
        return self._with_headers(response, grant)

    def _call(self, request: Request, grant: Grant | None) -> Response:
        if grant is None:
            return Response(
                plain_json.dumps({"errors": [{"status": 401, "title": "Unauthorized"}]}),
                status=401,
                content_type="application/json",
            )
        if not self.state.grants.count(grant, self.clock.now()):
            return self._too_many()
        method = routes.METHODS.get(request.path[1:])
        if method is None:
            return error(404, f"{request.path[1:]} does not exist")
        if request.method != "POST" and not (request.method == "GET" and method.get):
            return error(405, "Method not allowed")
        body = routes.body_of(request)
        with self.state.records.change():
            return method.run(routes.Call(self.state, grant.tenant, grant.user, body, request))

    def _too_many(self) -> Response:
        return error(429, "Too many requests: the rate limit of 200 calls per minute was reached")

    def _with_headers(self, response: Response, grant: Grant | None) -> Response:
        response.headers.update(self.state.grants.headers(grant, self.clock.now()))
        response.headers["X-Api-Version"] = API_VERSION
        return response

    def _session(self, request: Request) -> Grant | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.state.grants.session(token.strip(), self.clock.now()) if scheme.lower() == "bearer" else None

    def caller_of(self, request: Request) -> tuple[str, str]:
        if grant := self._session(request):
            return grant.client, grant.tenant
        if request.path == "/oauth2/access_token":
            sent = self._token_fields(request)
            pair = self.state.grants.by_refresh.get(sent.get("refresh_token", ""))
            return sent.get("client_id", ""), pair.grant.tenant if pair else ""
        return "", ""

    def stale(self, request: Request) -> Response | None:
        if not request.path.endswith((".list", ".info")):
            return None
        with self.state.records.before_last_change():
            return self.respond(request)

    def rate_limited(self, request: Request) -> Response:
        return self._with_headers(self._too_many(), self._session(request))

    def failure(self, request: Request, status: int) -> Response:
        return self._with_headers(error(status, "Something went wrong"), self._session(request))

    def revoke_token(self, request: Request) -> None:
        if grant := self._session(request):
            self.state.grants.revoke(grant)
        elif pair := self.state.grants.by_refresh.get(self._token_fields(request).get("refresh_token", "")):
            self.state.grants.revoke(pair.grant)

    def _emit(self, event: str, subject: str, id_: str, tenant: str) -> None:
        body = {
            "type": event,
            "subject": {"type": subject, "id": id_},
            "account": {"type": "account", "id": tenant},
        }
        for hook in self.state.of("webhooks", tenant):
            if event in hook["types"]:
                self.webhooks.put(Delivery(hook["url"], body))

    # --- OAuth (1) ---------------------------------------------------------------------------------------------------

    def _secret_of(self, client_id: str) -> str | None:
        return {self.client_id: self.client_secret, **self.other_clients}.get(client_id)

    def _authorize(self, request: Request) -> Response:
        sent = request.args
        redirect_uri = sent.get("redirect_uri", "")
        if self._secret_of(sent.get("client_id", "")) is None:
            raise refuse("Client authentication failed", 401)
        if redirect_uri not in self.redirect_uris or not consent.is_safe_url(redirect_uri):
            raise refuse("The redirect_uri is not registered for this integration", hint="Check the redirect_uri")
        if sent.get("response_type") != "code":
            raise refuse("The authorization grant type is not supported", hint="Check the response_type")
        users = [
            (
                id_,
                f"{user['first_name']} {user['last_name']} ({self.state.records['accounts'][user['tenant']]['name']})",
            )
            for id_, user in self.state.records["users"].items()
        ]
        answer = consent.decision(request, users)
        if answer is None:
            return consent.page("Teamleader Focus", "The integration", users, {})
        if answer.user is None:
            return consent.back_to(redirect_uri, error="access_denied", state=sent.get("state"))
        tenant = self.state.records["users"][answer.user]["tenant"]
        code = self.state.grants.consent(sent["client_id"], tenant, answer.user, redirect_uri, self.clock.now())
        return consent.back_to(redirect_uri, code=code, state=sent.get("state"))

    def _token_fields(self, request: Request) -> dict[str, str]:
        """The fields of a token request, form or JSON."""
        if request.mimetype == "application/json":
            try:
                body = plain_json.loads(request.get_data(cache=True))
            except ValueError:
                return {}
            return {k: v for k, v in body.items() if isinstance(v, str)} if isinstance(body, dict) else {}
        return request.form.to_dict()

    def _access_token(self, request: Request) -> Response:
        if request.method != "POST":
            return error(405, "Method not allowed")
        sent, now, switches = self._token_fields(request), self.clock.now(), self.state.switches
        client = sent.get("client_id", "")
        if (secret := self._secret_of(client)) is None or secret != sent.get("client_secret"):
            raise refuse("Client authentication failed", 401)
        match sent.get("grant_type"):
            case "authorization_code":
                if not (code := sent.get("code")):
                    raise bad_grant("Check the `code` parameter")
                answer = self.state.grants.redeem(code, client, sent.get("redirect_uri", ""), now)
            case "refresh_token":
                if not (token := sent.get("refresh_token")):
                    raise bad_refresh("Check the `refresh_token` parameter")
                answer = self.state.grants.refresh(
                    token,
                    client,
                    now,
                    reuse_kills_family=switches.refresh_reuse_kills_family,
                    revokes_access=switches.refresh_revokes_access,
                )
            case _:
                raise refuse("The authorization grant type is not supported", hint="Check the `grant_type` parameter")
        return Response(plain_json.dumps(answer), content_type="application/json")

    def _download(self, token: str) -> Response:
        """The file behind a temporary link; no token needed, and soon gone."""
        found = self.state.downloads.get(token)
        row = self.state.records[found[0]].get(found[1]) if found else None
        if found is None or row is None or found[3] <= self.clock.now():
            return Response("Not found", status=404)
        department = self.state.records["departments"][row["department"]["id"]]
        if found[2] == "pdf":
            return Response(files.pdf(row, department["name"]), content_type="application/pdf")
        rates = {rate["id"]: rate["rate"] for rate in self.state.of("tax_rates", row["tenant"])}
        return Response(files.ubl(row, department, rates), content_type="application/xml")

    # --- state -------------------------------------------------------------------------------------------------------

    def _rows(self, table: str) -> list[Row]:
        return [{**routes.shown(row), "tenant": row["tenant"]} for row in self.state.records[table].values()]

    def _relations(self) -> list[Row]:
        return [
            {**routes.shown(row), "custom_fields": self.state.custom_fields(row, kind), "tenant": row["tenant"]}
            for table, kind in (("companies", "company"), ("contacts", "contact"))
            for row in self.state.records[table].values()
        ]

    def _documents(self) -> list[Row]:
        invoices = [
            {**routes.invoice_info(self.state, row), "tenant": row["tenant"], "kind": "invoice"}
            for row in self.state.records["invoices"].values()
        ]
        notes = [
            {**routes.credit_note_info(row), "tenant": row["tenant"], "kind": "creditNote"}
            for row in self.state.records["credit_notes"].values()
        ]
        return [*invoices, *notes]

    def _open_items(self) -> list[Row]:
        return [
            {"tenant": row["tenant"], "document": row["id"], "due_on": row["due_on"], **routes.due(self.state, row)}
            for row in self.state.records["invoices"].values()
            if row["status"] == "outstanding"
        ]

    def _payments(self) -> list[Row]:
        return [
            {
                "tenant": row["tenant"],
                "document": row["id"],
                **payment["payment"],
                "paid_at": payment["paid_at"],
                "by": payment["_by"],
            }
            for row in self.state.records["invoices"].values()
            for payment in row["payments"]
        ]

    def _counters(self) -> dict[str, Any]:
        return {
            "rate_limit": self.state.grants.usage(self.clock.now()),
            "webhooks": {**self.webhooks.counts, "pending": self.webhooks.pending},
        }

    # --- levers ------------------------------------------------------------------------------------------------------

    def _set_switches(self, body: dict[str, Any]) -> dict[str, Any]:
        self.state.switches = self.state.switches.changed(body)
        return vars(self.state.switches)

    def _load_ubl(self, body: dict[str, Any]) -> dict[str, Any]:
        sent = body.get("files")
        if not isinstance(sent, dict):
            raise BadCommand("ubl: expected {files: {name: base64}}")
        try:
            decoded = {name: base64.b64decode(data, validate=True) for name, data in sent.items()}
        except (TypeError, binascii.Error) as problem:
            raise BadCommand(f"ubl: {problem}") from problem
        return ubl.load(decoded, self, self.state.switches.rounding)

    def _issue(self, body: dict[str, Any]) -> dict[str, Any]:
        """Draft and book in one go: `{tenant, …draft fields}`, on `invoice_date` or today."""
        sent = checks.shape(checks.INVOICE_REQUIRED, checks.INVOICE_OPTIONAL)(body, "")
        tenant = self._tenant(body)
        with self.state.records.change():
            row = self.state.new_invoice(self.state.invoice_fields(sent, tenant), tenant)
            row = self.state.book(row, row["invoice_date"] or self.state.now()[:10])
        return {"id": row["id"], "invoice_number": row["invoice_number"]}

    def _edit(self, body: dict[str, Any]) -> dict[str, Any]:
        """Change an issued invoice: `{tenant, booking, …}` with the fields of invoices.updateBooked."""
        fields = {**checks.INVOICE_REQUIRED, **checks.INVOICE_OPTIONAL}
        sent = checks.shape({}, {key: fields[key] for key in checks.EDITABLE_WHEN_BOOKED})(body, "")
        routes.edit_booked(self.state, self._booking(body, "invoices"), sent)
        return {}

    def _credit(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{tenant, booking, credit_note_date?, grouped_lines?, discounts?}`: whole, or the lines given."""
        invoice = self._booking(body, "invoices")
        optional = {
            "credit_note_date": checks.day,
            "grouped_lines": checks.GROUPED_LINES,
            "discounts": checks.list_of(checks.DISCOUNT),
        }
        sent = checks.shape({}, optional)(body, "")
        if "grouped_lines" in sent:
            row = routes.credit_partially(self.state, invoice, sent)
        else:
            row = self.state.credit(invoice, sent.get("credit_note_date"))
        return {"id": row["id"], "credit_note_number": row["credit_note_number"]}

    def _pay(self, body: dict[str, Any]) -> dict[str, Any]:
        """A person registers a payment: `{tenant, booking, amount, date}`."""
        invoice = self._booking(body, "invoices")
        try:
            paid_at = datetime.fromisoformat(body.get("date") or self.state.now())
        except (TypeError, ValueError) as problem:
            raise BadCommand(f"pay: {problem}") from problem
        paid_at = paid_at if paid_at.tzinfo else paid_at.replace(tzinfo=self.clock.now().tzinfo)
        payment = {"amount": seeding.as_decimal(body.get("amount")), "currency": invoice["currency"]}
        sent = {"payment": payment, "paid_at": checks.timestamp(paid_at.isoformat(), "date")}
        row = self.state.register_payment(invoice, sent, by="person")
        return {"due": routes.due(self.state, row)}

    def _remove_payments(self, body: dict[str, Any]) -> dict[str, Any]:
        self.state.remove_payments(self._booking(body, "invoices"))
        return {}

    def _delete_booking(self, body: dict[str, Any]) -> dict[str, Any]:
        """The last booked invoice of its department, or a credit note."""
        if note := self.state.find("credit_notes", str(body.get("booking")), self._tenant(body)):
            self.state.delete_credit_note(note)
        else:
            self.state.delete_invoice(self._booking(body, "invoices"))
        return {}

    def _delete_company(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{tenant, company, into?}`: a company vanishes; with `into` it is merged, and its documents move there."""
        tenant, store = self._tenant(body), self.state
        company = store.get("companies", str(body.get("company")), tenant)
        with store.records.change():
            if "into" in body:
                survivor = store.get("companies", str(body["into"]), tenant)
                old, new = ({"type": "company", "id": row["id"]} for row in (company, survivor))
                for table in ("invoices", "credit_notes"):
                    for row in store.of(table, tenant):
                        if row["invoicee"]["customer"] == old:
                            store.change(table, row, invoicee={**row["invoicee"], "customer": new})
                store.change("companies", survivor, "company.updated")
            store.records.drop("companies", company["id"])
        store.tell("company.deleted", company)
        return {}

    def _uninstall(self, body: dict[str, Any]) -> dict[str, Any]:
        """The account throws the integration out: every token of it is dead."""
        return {"revoked": self.state.grants.revoke_account(self._tenant(body))}

    def _tenant(self, body: dict[str, Any]) -> str:
        tenant = body.get("tenant")
        if tenant not in self.state.records["accounts"]:
            raise BadCommand(f"no account {tenant!r}")
        return str(tenant)

    def _booking(self, body: dict[str, Any], table: str) -> Row:
        row = self.state.find(table, str(body.get("booking")), self._tenant(body))
        if row is None:
            raise BadCommand(f"no such document of that account: {body.get('booking')!r}")
        return row
