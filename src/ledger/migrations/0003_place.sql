-- Which file the ledger is in, so that a copy knows that it is one (see place.rs). NULL: not noted yet.
ALTER TABLE ledger ADD COLUMN inode INTEGER;
ALTER TABLE ledger ADD COLUMN born_at INTEGER;   -- nanoseconds since 1970; NULL where the file system does not tell

-- The ledger was adopted: of calls placed after this instant it may not know. NULL: nothing is left to be looked for.
ALTER TABLE ledger ADD COLUMN behind_since INTEGER;
