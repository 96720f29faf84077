"""What is made of an evaluation for people: tables, text, plots."""
