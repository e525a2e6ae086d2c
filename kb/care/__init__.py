"""The care of entries: drafts and their review, findings when saving, flags, bulk edits, versions, health."""
