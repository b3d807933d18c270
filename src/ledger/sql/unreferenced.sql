-- For each text that is taken away SQLite would look through all entries: none has it, as is made sure of.
PRAGMA foreign_keys = OFF;
