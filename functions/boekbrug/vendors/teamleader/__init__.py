"""Teamleader Focus: where relations, invoices and credit notes start. See QUIRKS.md."""

VENDOR = "teamleader"
