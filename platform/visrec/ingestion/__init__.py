"""The write side of data: from logs, catalogues and pictures as they come to a snapshot."""
