//! Area codes of the United States and Canada (stub).
