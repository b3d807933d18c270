//! End-to-end tests, grouped by what they are. `tests/README.md` says how to run, replay and add one.
//!
//! * [`cli`]: the program as people and scripts run it.
//! * [`engine`]: the parts that decide, in this process and on virtual time.
//! * [`crash`]: the program while it is killed, or while its disk, its ledger or the vendor fails.
//! * [`meta`]: the repository, held against itself.
//! * [`support`]: what the others use. The oracle is the simulator's call log, which is independent of the client.

#![allow(clippy::print_stderr, reason = "tests print their counts")]

mod cli;
mod crash;
mod engine;
mod meta;
mod support;
