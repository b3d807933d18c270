SELECT content FROM writeback WHERE number = ?1;
