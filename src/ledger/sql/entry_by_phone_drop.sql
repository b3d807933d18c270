DROP INDEX entry_by_phone;
