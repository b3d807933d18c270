//! Checks before a run writes anything: the vendor answers, and this machine's clock is right.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::campaign::Campaign;
use crate::clock::{Clock, WallClock};
use crate::engine::CLOCK_TOLERANCE;
use crate::engine::vendor_clock::{TimeProbe, probe_vendor_time};
use crate::error::CommandError;
use crate::ledger::{Ledger, LedgerError};
use crate::policy::Hours;

use super::output::Output;
use super::signals::stop_signal;
use super::vendor_config::VendorConfig;

/// How long a vendor that does not answer is retried while the window is closed.
const RETRY_OUTSIDE_WINDOW: TimeDelta = TimeDelta::minutes(10);

/// Waits until the vendor answers, and compares its clock with this machine's: times that a wrong clock writes to the
/// ledger stay there. The embedded simulator uses the run's clock, so it is not asked.
pub(super) async fn agree_on_the_time(
    campaign: &Campaign,
    api: &VendorConfig,
    clock: &dyn Clock,
    output: Output,
) -> Result<(), CommandError> {
    let VendorConfig::Remote(remote) = api else { return Ok(()) };
    let Some(organisation) = campaign.locations.organisations().first() else { return Ok(()) };
    // The run creates its own clients, so this one may use the machine's clock for its token.
    let client = remote.client_of(campaign, organisation, std::sync::Arc::new(WallClock))?;
    let Some(from) = organisation.numbers().first().copied() else { return Ok(()) };
    let now = clock.now();
    let closes = Hours::for_practice(&campaign.calling, &campaign.practice.zone).closes(now);
    let retry_for = closes.map_or(RETRY_OUTSIDE_WINDOW, |closes| (closes - now).min(campaign.safety.outage));
    let local = |at: DateTime<Utc>| campaign.practice.zone.local(at).format("%H:%M").to_string();
    let waiting = |_| output.say(&format!("the vendor does not answer; retrying until {}", local(now + retry_for)));
    let probe = tokio::select! {
        probe = probe_vendor_time(&client, from, clock, retry_for, waiting) => probe,
        () = stop_signal() => {
            return Err(CommandError::NotStarted("interrupted; nothing was enrolled and nobody was called".into()));
        }
    };
    match probe {
        TimeProbe::Agrees => Ok(()),
        TimeProbe::Off(by) => Err(CommandError::NotStarted(format!(
            "this machine's clock differs from the vendor's by about {} s, so dialing hours cannot be kept; nothing was \
             enrolled and nobody was called: set the clock, then run again",
            by.num_seconds().abs()
        ))),
        TimeProbe::NoAnswer(error) => Err(CommandError::NotStarted(format!(
            "{error} ({}); nothing was enrolled and nobody was called: check the network, then run again",
            remote.base_url
        ))),
    }
}

/// Refuses a ledger with events from the future: it was written while a clock was ahead. This machine's clock has been
/// compared with the vendor's before.
pub(super) async fn refuse_future_events(ledger: &Ledger, clock: &dyn Clock) -> Result<(), CommandError> {
    if clock.is_simulated() {
        return Ok(());
    }
    match ledger.future_events(clock.now() + CLOCK_TOLERANCE).await? {
        Some((events, newest)) => Err(future_events_error(events, newest).into()),
        None => Ok(()),
    }
}

pub(super) fn future_events_error(events: u64, newest: DateTime<Utc>) -> LedgerError {
    LedgerError::FromTheFuture { events, newest: newest.to_rfc3339_opts(SecondsFormat::Secs, true) }
}
