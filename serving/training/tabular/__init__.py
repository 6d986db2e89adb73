"""Models of tables: rows of named words and numbers in, a probability and a decision out."""
