-- Whether what the ledger keeps was a rehearsal, in which nobody was called. NULL: no run yet.
ALTER TABLE ledger ADD COLUMN rehearsal INTEGER CHECK (rehearsal IN (0, 1));

-- A ledger that has runs already was a rehearsal's if all its campaigns are for the embedded simulator.
UPDATE ledger SET rehearsal = NOT EXISTS (
    SELECT 1 FROM campaign WHERE replace(source, ' ', '') NOT LIKE '%kind="simulator"%'
) WHERE EXISTS (SELECT 1 FROM campaign);
