//! A vendor in another process: `callrounds simulate`, with its clock, its log and its faults.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Instant;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::harness::{Practice, program};
use super::oracle::{self, Call};

/// A Tuesday, half past nine in the morning in Chicago.
pub const MORNING: &str = "2026-11-24T15:30:00Z";

/// A simulator that runs until it is dropped.
pub struct Vendor {
    child: Child,
    pub base_url: String,
    log: PathBuf,
    morning: DateTime<Utc>,
    since: Instant,
    speed: f64,
}

impl Vendor {
    /// Starts one whose time passes `speed` times as fast as real time.
    pub fn start(practice: &Practice, speed: &str, options: &[&str]) -> Self {
        Self::start_at(MORNING, practice, speed, options)
    }

    /// The same, at another instant.
    pub fn start_at(morning: &str, practice: &Practice, speed: &str, options: &[&str]) -> Self {
        Self::start_in(&[], morning, practice, speed, options)
    }

    /// The same, with these environment variables.
    pub fn start_with(variables: &[(&str, &str)], practice: &Practice, speed: &str, options: &[&str]) -> Self {
        Self::start_in(variables, MORNING, practice, speed, options)
    }

    fn start_in(variables: &[(&str, &str)], morning: &str, practice: &Practice, speed: &str, options: &[&str]) -> Self {
        let log = practice.path("vendor.jsonl");
        let mut child = program()
            .args(["simulate", "--port", "0", "--at", morning, "--speed", speed, "--log"])
            .arg(&log)
            .args(options)
            .envs(variables.iter().copied())
            .stderr(Stdio::null())
            .spawn()
            .expect("the simulator");
        let mut base_url = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut base_url).expect("its address");
        let base_url = base_url.trim().to_owned();
        assert!(base_url.starts_with("http://127.0.0.1:"), "{base_url}");
        let morning = morning.parse().expect("an instant");
        let speed = speed.parse().expect("a number");
        Self { child, base_url, log, morning, since: Instant::now(), speed }
    }

    /// The current time of its clock, as a value for `--at`: a program started now has the same time.
    pub fn time(&self) -> String {
        let passed = TimeDelta::microseconds((self.since.elapsed().as_secs_f64() * self.speed * 1e6) as i64);
        (self.morning + passed).to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The calls that it has placed.
    pub fn calls(&self) -> Vec<Call> {
        oracle::calls(&self.log)
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
