"""Evaluation reports for people and programs: tables, plots, Markdown, JSON."""
