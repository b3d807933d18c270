-- A ledger without a campaign keeps nothing yet.
UPDATE ledger SET rehearsal = ?1 WHERE rehearsal IS NULL OR NOT EXISTS (SELECT 1 FROM campaign);
