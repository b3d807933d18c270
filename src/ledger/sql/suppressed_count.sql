SELECT count(DISTINCT phone) FROM suppression;
