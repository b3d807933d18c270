-- The kind may still change while the ledger has no campaign.
UPDATE ledger SET rehearsal = ?1 WHERE rehearsal IS NULL OR NOT EXISTS (SELECT 1 FROM campaign);
