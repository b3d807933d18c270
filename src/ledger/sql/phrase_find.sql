SELECT id FROM phrase WHERE text = ?1;
