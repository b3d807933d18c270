//! A run against a vendor in another process: its campaign, its list, its arguments, and the vendor.

use std::fmt::Write;

use super::fixtures::{CONSENT, NO_STOP_RULE, ONE_CALL_EACH};
use super::harness::{Practice, recall};
use super::vendor::{MORNING, Vendor};

/// A recall campaign for a vendor in another process: one call each, with a settle time of 60 s.
pub fn campaign(on_lost_answer: &str) -> String {
    recall(&format!(
        "{CONSENT}{ONE_CALL_EACH}[rate]\nrequests_per_minute = 600\nopen_calls = 20\n\
         {NO_STOP_RULE}settle = \"60s\"\non_lost_answer = \"{on_lost_answer}\"\n\
         [vendor]\nkind = \"annie\"\nrehearsal = true\n"
    ))
}

/// A list of `patients` patients, each with a number of their own.
pub fn list(patients: usize) -> String {
    let mut text = "patient_id,first_name,phone\n".to_owned();
    for patient in 0..patients {
        let area = ["773", "630", "708"][patient / 90];
        writeln!(text, "{},Ana,+1{area}55501{:02}", 5000 + patient, 10 + patient % 90).expect("a string");
    }
    text
}

pub const RUN: [&str; 7] = ["run", "campaigns/recall.toml", "--json", "--at", MORNING, "--speed", "60"];

/// Starts a vendor with a seed and faults.
pub fn vendor(practice: &Practice, seed: u64, faults: &[&str]) -> Vendor {
    let seed = seed.to_string();
    let mut options = vec!["--requests-per-minute", "600", "--seed", &seed];
    for fault in faults {
        options.extend(["--fault", fault]);
    }
    Vendor::start(practice, "60", &options)
}
