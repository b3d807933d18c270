//! The program seen from outside: the real binary, a directory of its own for every test, and the simulator's log as the
//! oracle, which is written by nobody who could have an interest in the outcome.

#![allow(clippy::print_stderr, reason = "tests tell their figures")]

mod demo;
mod house;
mod kill;
mod lists;
mod oracle;
mod practice;
mod privacy;
mod schemas;
mod signals;
mod usage;
mod vendor;
