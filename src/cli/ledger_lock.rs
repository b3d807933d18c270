//! Takes the ledger's lock for a run, and waits for it where the run may wait.

use std::path::Path;

use chrono::TimeDelta;

use crate::clock::{Clock, WallClock};
use crate::error::CommandError;
use crate::ledger::{Ledger, LedgerError};

use super::output::Output;

/// How often a run that waits for the lock tries to take it.
const TRY_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(1);

/// Opens the ledger. If another run has its lock and `waits` is set, says so once and waits until that run gives it
/// back.
pub(super) async fn open(path: &Path, waits: bool, output: Output) -> Result<Ledger, CommandError> {
    let mut is_said = false;
    loop {
        match Ledger::open(path, WallClock.now()) {
            Err(LedgerError::Locked { holder }) if waits => {
                if !std::mem::replace(&mut is_said, true) {
                    output.say(&format!("the ledger is in use{holder}; waiting until it is free"));
                }
                WallClock.sleep(TRY_AGAIN_AFTER).await;
            }
            opened => return Ok(opened?),
        }
    }
}
