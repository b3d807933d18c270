SELECT count(DISTINCT phone) FROM barred_number;
