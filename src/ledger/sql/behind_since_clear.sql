UPDATE ledger SET behind_since = NULL WHERE behind_since IS NOT NULL;
