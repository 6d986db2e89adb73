"""Models of tables: from rows of named strings and numbers to a probability and a decision."""
