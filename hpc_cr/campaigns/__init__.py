"""Campaigns, one per run.kind: they put physics, work distribution and files together."""
