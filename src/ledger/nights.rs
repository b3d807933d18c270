//! The runs of a ledger, one after the other, each with what it placed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::codec::{instant_at, maybe_instant_at};
use super::error::LedgerError;
use super::reader::LedgerReader;
use super::run_results::{AttemptCounts, attempt_counts, calls_in_all, outcomes_of};
use super::runs::RunHandle;
use super::sql::sql;
use crate::ending::RecordedEnding;
use crate::entry::Outcome;
use crate::ids::{CampaignId, CampaignName, RunId};

/// A run, by what it placed.
#[derive(Debug, Clone)]
pub struct Night {
    /// The run.
    pub run: RunId,
    /// Its campaign.
    pub campaign: CampaignName,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended; `None` while it is under way, or if it was killed.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub ending: Option<RecordedEnding>,
    /// The rows of its list.
    pub rows: u64,
    /// The results of its attempts.
    pub attempts: AttemptCounts,
    /// The outcomes of the calls that it placed and that have ended.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// The calls of its campaign up to and with this run.
    pub calls_in_all: u64,
}

impl LedgerReader {
    /// Every run, or those of one campaign, oldest first, each with what it placed.
    pub fn nights(&self, campaign: Option<&CampaignName>) -> Result<Vec<Night>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("run_all"))?;
        let mut rows = statement.query([campaign.map(CampaignName::as_str)])?;
        let mut nights = Vec::new();
        while let Some(row) = rows.next()? {
            let handle = RunHandle { run: RunId(row.get("id")?), campaign: CampaignId(row.get("campaign_id")?) };
            nights.push(Night {
                run: handle.run,
                campaign: CampaignName::new(row.get::<_, String>("name")?),
                started_at: instant_at(row, "started_at")?,
                ended_at: maybe_instant_at(row, "ended_at")?,
                ending: row.get::<_, Option<String>>("ending")?.map(RecordedEnding::from_word),
                rows: row.get::<_, i64>("rows_read")? as u64,
                attempts: attempt_counts(&self.conn, handle.run)?,
                outcomes: outcomes_of(&self.conn, handle.run)?,
                calls_in_all: calls_in_all(&self.conn, handle)?,
            });
        }
        Ok(nights)
    }
}
