CREATE UNIQUE INDEX entry_by_key ON entry (campaign_id, key);
