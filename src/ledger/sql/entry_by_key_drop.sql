DROP INDEX entry_by_key;
