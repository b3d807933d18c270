//! What stops a command: its text and its exit code.
