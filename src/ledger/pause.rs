//! A campaign's pause. While it holds, no run of the campaign places a call, whichever run was under way when it was
//! said.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use super::codec::{exactly_one, instant_at, maybe_instant_at, millis};
use super::error::LedgerError;
use super::sql::sql;
use crate::ids::CampaignId;

/// A pause of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Who said it.
    pub by: String,
    /// When it was said.
    pub since: DateTime<Utc>,
    /// When it ends by itself; `None`: it holds until the campaign is resumed.
    pub until: Option<DateTime<Utc>>,
}

/// The campaign's pause that holds at `now`.
pub(super) fn in_force(
    conn: &Connection,
    campaign: CampaignId,
    now: DateTime<Utc>,
) -> Result<Option<Pause>, LedgerError> {
    conn.prepare_cached(sql!("campaign_paused"))?
        .query_row((campaign.0, millis(now)), |row| {
            let by = row.get("paused_by")?;
            let instants = instant_at(row, "paused_at").and_then(|at| Ok((at, maybe_instant_at(row, "paused_until")?)));
            Ok(instants.map(|(since, until)| Pause { by, since, until }))
        })
        .optional()?
        .transpose()
}

/// Pauses the campaign; an earlier pause is replaced.
pub(super) fn set(conn: &Connection, campaign: CampaignId, pause: &Pause) -> Result<(), LedgerError> {
    let Pause { by, since, until } = pause;
    exactly_one(conn.prepare_cached(sql!("campaign_pause"))?.execute((
        campaign.0,
        by,
        millis(*since),
        until.map(millis),
    ))?)
}

/// Lifts the campaign's pause. Returns whether there was one.
pub(super) fn lift(conn: &Connection, campaign: CampaignId) -> Result<bool, LedgerError> {
    Ok(conn.prepare_cached(sql!("campaign_pause_lift"))?.execute([campaign.0])? > 0)
}
