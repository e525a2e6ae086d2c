"""Bring it in: files become entries, policies and tables, after a person has seen what will happen."""
