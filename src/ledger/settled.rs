//! Patients whom a campaign calls no more, or not before something is settled: no household's call names them.

use super::alternate_numbers;
use super::call_facts;
use super::cancellation;
use super::error::LedgerError;
use super::household;
use super::known_entry::KnownEntry;
use super::reader::LedgerReader;
use crate::campaign::Redial;
use crate::ids::{CampaignId, EntryKey};
use crate::phone::E164;
use crate::policy::CallFacts;

impl LedgerReader {
    /// Whether a call to `phone` must not name the patient: the patient's own calls, or the household's, have decided, are
    /// used up or are not settled.
    pub fn is_settled(
        &self,
        campaign: CampaignId,
        redial: &Redial,
        key: &EntryKey,
        phone: E164,
    ) -> Result<bool, LedgerError> {
        let mut facts = CallFacts::without_ledger(None, None);
        household::add_covering_calls(&self.conn, campaign, key, phone, &mut facts)?;
        if let Some(known) = KnownEntry::find(&self.conn, campaign, key.as_str())? {
            if known.status.had_wrong_number() {
                let max_calls = redial.max_attempts;
                return Ok(!alternate_numbers::is_new_chance(&self.conn, known.id, phone, max_calls)?);
            }
            if !known.status.may_become_callable_by_list() {
                return Ok(true);
            }
            call_facts::add_own_calls(&self.conn, known.id, phone, &mut facts)?;
        } else if cancellation::is_with_household(&self.conn, campaign, key)? {
            return Ok(true);
        }
        Ok(facts.is_over(redial))
    }
}
