//! The program seen from outside, by subject.

mod simulation;
