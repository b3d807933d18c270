//! The program as people and scripts run it: its commands, options and files, what it prints, and its exit codes. Each
//! test starts the real binary in a folder of its own and compares its output with the vendor's log.

mod bombs;
mod corpus;
mod decisions;
mod demo;
mod doctor;
mod evening;
mod every_command;
mod exclude;
mod explain;
mod files;
mod front_desk;
mod guards;
mod lists;
mod locations;
mod lost_answers;
mod nights;
mod numbers;
mod outcomes;
mod outside;
mod plans;
mod privacy;
mod reports;
mod rests;
mod reviews;
mod stopping;
mod suppression;
mod usage;
mod user_errors;
mod webhooks;
