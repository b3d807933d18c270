SELECT word, ended FROM call_medium WHERE organisation = ?1;
