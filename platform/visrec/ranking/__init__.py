"""The second stage: a learned ranker puts the retrieved candidates in order. See docs/ranking.md."""
