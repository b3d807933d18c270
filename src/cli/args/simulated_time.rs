//! The arguments that set the clock of a rehearsal.

use chrono::{DateTime, Utc};
use clap::Args;

use super::values::{instant, speed};

/// Simulated time: in a rehearsal only, against the embedded simulator or with `[vendor] rehearsal = true`.
#[derive(Debug, Clone, Default, Args)]
pub struct SimulatedTime {
    /// Start the clock at this instant (UTC, RFC 3339); not for live calls
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub at: Option<DateTime<Utc>>,
    /// Simulated seconds per real second; not for live calls
    #[arg(long, value_name = "X", value_parser = speed)]
    pub speed: Option<f64>,
}
