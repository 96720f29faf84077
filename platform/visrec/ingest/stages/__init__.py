"""The stages of ingest on Ray: the driver holds what is as large as the catalogue; rows and pictures stay in tasks."""
