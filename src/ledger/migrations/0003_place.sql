-- Which file the ledger is in, so that a copy knows that it is one (see place.rs). NULL: not noted yet.
ALTER TABLE ledger ADD COLUMN inode INTEGER;
ALTER TABLE ledger ADD COLUMN born_at INTEGER;   -- nanoseconds since 1970; NULL where the file system does not tell
