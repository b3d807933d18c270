-- Whether the database is empty or was created by any version of this program.
SELECT count(*) = 0 OR coalesce(sum(name = 'ledger'), 0) > 0 FROM sqlite_schema;
