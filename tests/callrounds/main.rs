//! The program seen from outside: the real binary, a directory of its own for every test, and the simulator's log as the
//! oracle, which is written by nobody who could have an interest in the outcome. [`simulation`] sees it from inside, in
//! one process and on virtual time, and drives it through thousands of bad days.

#![allow(clippy::print_stderr, reason = "tests tell their figures")]

mod behind;
mod bombs;
mod budget;
mod bytes;
mod corpus;
mod damage;
mod demo;
mod disk;
mod doctor;
mod evening;
mod exclude;
mod explain;
mod faults;
mod files;
mod guards;
mod hours;
mod house;
mod kill;
mod kills;
mod lists;
mod locations;
mod locks;
mod mishaps;
mod mutants;
#[path = "../../benches/neighbour/mod.rs"]
mod neighbour;
mod nights;
mod numbers;
mod oracle;
mod organisations;
mod outside;
mod phones;
mod plans;
mod practice;
mod privacy;
mod refusals;
mod reports;
mod rules;
mod schemas;
mod scripted;
mod signals;
mod simulation;
mod stopping;
mod storage;
mod suppression;
mod unknown;
mod usage;
mod vendor;
mod webhooks;
