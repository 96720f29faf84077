"""Stages of an ingest on Ray. The driver holds data of the catalogue's size; rows and pixels stay in tasks."""
