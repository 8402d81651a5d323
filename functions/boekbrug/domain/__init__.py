"""The words and rules of the trade: frozen records and pure functions, no vendor, no storage, no clock."""
