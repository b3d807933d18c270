-- The copy that VACUUM builds is in memory: a temporary file would hold patients' data outside the ledger.
PRAGMA temp_store = MEMORY;
VACUUM;
