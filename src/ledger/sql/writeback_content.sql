SELECT content FROM writeback LEFT JOIN writeback_content USING (number) WHERE number = ?1;
