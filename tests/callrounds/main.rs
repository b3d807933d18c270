//! End-to-end tests: the real binary, a separate directory for every test, and the simulator's call log as the oracle, which
//! is independent of the client. [`simulation`] runs the engine in this process on virtual time, with thousands of drawn
//! faults.

#![allow(clippy::print_stderr, reason = "tests print their counts")]

mod architecture;
mod bombs;
mod budget;
mod bytes;
mod corpus;
mod crash;
mod crash_soak;
mod damage;
mod demo;
mod disk;
mod docs;
mod doctor;
mod evening;
mod exclude;
mod explain;
mod faults;
mod files;
mod guards;
mod harness;
mod hours;
#[path = "../../benches/in_process_vendor/mod.rs"]
mod in_process_vendor;
mod lists;
mod locations;
mod locks;
mod lost_answers;
mod mutants;
mod nights;
mod numbers;
mod oracle;
mod organisations;
mod outside;
mod phones;
mod plans;
mod privacy;
mod refusals;
mod reports;
mod rules;
mod schemas;
mod scripted;
mod signals;
mod simulation;
mod stale_ledger;
mod stopping;
mod storage;
mod suppression;
mod usage;
mod user_errors;
mod vendor;
mod webhooks;
