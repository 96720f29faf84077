"""From files of any format to checked rows: files, chunks, raw rows, events, and a reason for each row refused."""
