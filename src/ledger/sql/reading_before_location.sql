-- A ledger of before there were locations is read as one that has none.
CREATE TEMP VIEW entry AS SELECT *, NULL AS location FROM main.entry;
