-- A ledger that an older program made, which had no locations yet.
PRAGMA query_only = OFF;
CREATE TEMP VIEW whole_entry AS SELECT *, NULL AS location FROM main.whole_entry;
PRAGMA query_only = ON;
