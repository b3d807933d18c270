//! What the tests of the other groups use. Nothing here is a claim about the program; the modelled disk and nothing else has
//! tests of its own.

pub mod disk;
pub mod feed;
#[path = "../../fixtures/mod.rs"]
pub mod fixtures;
pub mod harness;
#[path = "../../../benches/in_process_vendor/mod.rs"]
pub mod in_process_vendor;
pub mod oracle;
pub mod remote_run;
pub mod seeded_rng;
pub mod vendor;
