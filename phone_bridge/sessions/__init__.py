"""How assistants speak: a file a dialect, both sides of the table, each a pure translator."""
