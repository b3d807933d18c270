SELECT max(at) FROM event;
