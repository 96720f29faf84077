"""Robustness evaluation: promotion attacks through changed pictures, and common corruptions."""
