"""What is dirt in a log, one idea a file. All work on whole blocks of users at once, with plain arrays."""
