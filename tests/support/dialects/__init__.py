"""Dialects of data: one table of truth, written the way people write it, and read back by ingest.

truth        events and items drawn at random, as values
times        ways to write a time, with the settings that read each
text         CSV: delimiters, quotes, headers, line ends, encodings, compression
records      JSON lines, JSON arrays and Parquet
logs         a log of the events in one of all dialects
catalogues   a catalogue of the items in one of all dialects
reading      what ingest reads of them, without a cluster
"""
