//! The repository, held against itself: the directions between modules, the documentation, the schemas and the deliberate
//! breakages.

mod architecture;
mod docs;
mod known_tests;
mod mutants;
mod schemas;
