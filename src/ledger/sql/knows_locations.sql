SELECT 1 FROM pragma_table_info('entry') WHERE name = 'location';
