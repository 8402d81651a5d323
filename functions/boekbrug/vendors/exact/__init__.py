"""Exact Online, spoken."""
