-- Empty, or begun by this program, of whatever version.
SELECT count(*) = 0 OR coalesce(sum(name = 'ledger'), 0) > 0 FROM sqlite_schema;
