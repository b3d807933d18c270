//! The campaigns of the ledger's runs, each read once.

use std::collections::BTreeMap;

use crate::campaign::Campaign;
use crate::error::CommandError;
use crate::ids::{Location, RunId};
use crate::ledger::LedgerReader;
use crate::zone::Zone;

use super::status::campaign_of_run;

/// The campaigns of runs, from their texts in the ledger.
pub(super) struct Campaigns<'r> {
    reader: &'r LedgerReader,
    by_run: BTreeMap<RunId, Campaign>,
}

impl<'r> Campaigns<'r> {
    pub(super) fn new(reader: &'r LedgerReader) -> Self {
        Self { reader, by_run: BTreeMap::new() }
    }

    /// The campaign of a run.
    pub(super) fn of_run(&mut self, run: RunId) -> Result<&Campaign, CommandError> {
        if !self.by_run.contains_key(&run) {
            self.by_run.insert(run, campaign_of_run(self.reader, run)?);
        }
        Ok(&self.by_run[&run])
    }

    /// The zone of the practice that called for a location.
    pub(super) fn zone(&mut self, run: RunId, location: Option<&Location>) -> Result<Zone, CommandError> {
        let campaign = self.of_run(run)?;
        Ok(campaign.practice_at(location).unwrap_or(&campaign.practice).zone.clone())
    }
}
