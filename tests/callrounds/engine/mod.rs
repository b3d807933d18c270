//! The parts that decide, in this process and without starting the program: the engine on virtual time with vendors that
//! the tests play, and the rules, hours, phone cells and readers, each compared with an oracle or with a property.

mod budget;
mod bytes;
mod forty_nights;
mod hours;
mod organisations;
mod outcomes;
mod phones;
mod refusals;
mod rules;
mod scripted;
mod simulation;
