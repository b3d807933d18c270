-- Whether the ledger's format has the column.
SELECT EXISTS (SELECT 1 FROM pragma_table_info('ledger') WHERE name = 'rehearsal');
