-- Whether anything was ever done with this ledger.
SELECT EXISTS (SELECT 1 FROM run);
