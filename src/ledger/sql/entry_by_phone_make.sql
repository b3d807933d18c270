CREATE INDEX entry_by_phone ON entry (phone);
