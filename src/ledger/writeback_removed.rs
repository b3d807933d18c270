//! Calls that can no longer be in a write-back file, because `ledger purge` has removed a patient's data.

use super::codec::json;
use super::error::LedgerError;
use super::reader::LedgerReader;
use super::sql::sql;
use crate::entry::{CallContent, PatientInfo};
use crate::ids::CampaignName;

impl LedgerReader {
    /// How many of the campaign's calls that are in no batch concern a patient whose data was removed.
    pub fn removed_before_writeback(&self, campaign: &CampaignName) -> Result<u64, LedgerError> {
        let empty = (campaign.as_str(), json(&CallContent::default()), json(&PatientInfo::default()));
        let count: i64 = self.conn.prepare_cached(sql!("writeback_removed"))?.query_row(empty, |row| row.get(0))?;
        Ok(count as u64)
    }
}
