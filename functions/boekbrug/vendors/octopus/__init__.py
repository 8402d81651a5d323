"""Octopus, Belgian bookkeeping by Inaras: one dossier is one ledger."""
