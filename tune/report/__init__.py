"""The study's report: what was tried, what mattered, what it cost, and what came out."""
