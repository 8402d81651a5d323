"""Boekbrug: every invoice of Teamleader Focus in the books exactly once, and its payment back."""
